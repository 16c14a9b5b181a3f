"""Statements of papers. Mistakes: a verdict that no result can change, a page that states another one than the records,
a comparison with its sides exchanged.
"""

from __future__ import annotations

import itertools
import math
import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from tests.papers.fake_records import record, write

from gansweep.cli.papers import main
from gansweep.papers.coopnets import PRINTED_LOSSES
from gansweep.papers.epfl_table1 import PRINTED, printed_at
from gansweep.papers.parts import alike, better, most, same_order
from gansweep.papers.statement import Verdict, committed
from gansweep.papers.statements import STATEMENTS

ROOT = Path(__file__).parents[2]
RECORDS = ROOT / "docs" / "records"
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "docs" / "papers.py"))
BY_NAME = {statement.name: statement for statement in STATEMENTS}
SEEDS = range(6)
STATED, OPPOSITE, NOISE = "as stated", "the opposite", "no difference"
NOISES = (-3.0, 2.0, 3.0, -2.5, 1.5, -1.2)  # by seed, without a sign in common


def row(experiment: str, value: float, **columns: object) -> dict[str, str]:
    """A run in a line of results.csv; NaN is a diverged run."""
    lost = math.isnan(value)
    filled = {
        "experiment": experiment,
        "state": "diverged" if lost else "completed",
        "seed": 0,
        "final": "" if lost else value,
        "untrained": 100.0,
        "floor": 0.0,
        "steps_done": 200_000,
        "critic_steps": 1,
        **columns,
    }
    return {name: str(content) for name, content in filled.items()}


def pair(world: str, seed: int) -> tuple[float, float]:
    """Values of the configurations that a statement calls better and worse."""
    jitter = 0.01 * NOISES[seed]
    return {STATED: (10 + jitter, 20.0), OPPOSITE: (20.0, 10 + jitter), NOISE: (15 + NOISES[seed], 15.0)}[world]


def epfl_best_rate(world):
    cells = itertools.product(("adam", "sgd", "rmsprop"), (1e-3, 1e-4, 1e-5), SEEDS)
    return [row("epfl_table1", pair(world, s)[lr != 1e-4], optimizer=o, lr=lr, seed=s) for o, lr, s in cells]


def epfl_sgd(world):
    lost = {STATED: lambda lr, s: lr >= 1e-3, OPPOSITE: lambda lr, s: lr < 1e-3, NOISE: lambda lr, s: s % 2}[world]
    cells = itertools.product((1e-2, 1e-3, 1e-4, 1e-5), SEEDS)
    return [
        row("epfl_table1", math.nan if lost(lr, s) else 1.0, optimizer="sgd", lr=lr, seed=s, steps_done=500)
        for lr, s in cells
    ]


def epfl_order(world):
    printed = {cell: value for cell, value in printed_at(290).items() if value is not None}
    near = {STATED: printed, OPPOSITE: {cell: -value for cell, value in printed.items()}, NOISE: printed_at(0)}[world]
    return [row("epfl_table1", near[o, lr], optimizer=o, lr=lr) for o, lr in printed]


def coopnets(world, order):
    losses = {exp: 0.1 if loss is None else loss for exp, loss in PRINTED_LOSSES.items()}
    if world == OPPOSITE:
        losses = {exp: -loss for exp, loss in losses.items()}
    if world == NOISE:
        losses = {exp: 0.05 + (exp % 5 if order else 0) for exp in losses}
    return [
        row(f"coopnets_table1/exp_{exp}", 1.0, seed=s, reconstruction_error=loss + 1e-5 * NOISES[s] * (exp in (6, 7)))
        for exp, loss in losses.items()
        for s in SEEDS
    ]


def dirac(world):
    small = {STATED: ("r1", "consensus"), OPPOSITE: ("gan", "wgan")}.get(world, ())
    names = ("gan", "wgan", "r1", "consensus") if small else ()
    return [row(f"dirac/{name}", 1e-4 if name in small else 50.0) for name in names]


def dirac_noise(world):
    return [row("dirac/instance_noise", 1e-4 if world == STATED else 2.0)]


def plane_better(world):
    shapes = itertools.product(("line", "circle"), SEEDS)
    return [
        row("mescheder_2d", pair(world, s)[side], data=data, loss=loss, lr=5e-4, seed=s)
        for data, s in shapes
        for loss, side in (("r1", 0), ("r2", 0), ("standard", 1))
    ]


def images_better(world):
    methods = (("r1", 0), ("r2", 0), ("none", 1))
    return [row(f"mescheder_images/{name}", pair(world, s)[side], seed=s) for name, side in methods for s in SEEDS]


def forsyth_skips(world):
    def psnr(skips, seed):
        after, before = pair(world, seed)
        return {"none": -before, "shallow": -after, "both": -after + (before - after)}[skips]

    cells = itertools.product(("none", "shallow", "both"), SEEDS)
    return [
        row("forsyth_autoencoder", psnr(skips, s), optimizer="adam", lr=1e-3, seed=s, **{"model.skips": skips})
        for skips, s in cells
    ]


def cfg_better(world):
    sides = itertools.product(("mnist", "cifar10"), (("cfg", 0), ("wgan_gp", 1)), SEEDS)
    return [row(f"cfg_vs_wgangp/{data}_{name}", pair(world, s)[n], seed=s) for data, (name, n), s in sides]


def plane_alike(world):
    apart = {STATED: 0.1, OPPOSITE: 40.0, NOISE: 8.0}[world]
    return [
        row("mescheder_2d", 20 + (loss == "r2") * (apart + NOISES[s]), data="line", loss=loss, lr=5e-4, seed=s)
        for loss in ("r1", "r2")
        for s in SEEDS
    ]


WORLDS = {
    "epfl_best_rate": epfl_best_rate,
    "epfl_sgd": epfl_sgd,
    "epfl_order": epfl_order,
    "coopnets_order": lambda world: coopnets(world, True),
    "coopnets_extremes": lambda world: coopnets(world, False),
    "dirac_methods": dirac,
    "dirac_noise": dirac_noise,
    "plane_alike": plane_alike,
    "plane_better": plane_better,
    "images_better": images_better,
    "forsyth_skips": forsyth_skips,
    "cfg_better": cfg_better,
}
EXPECTED = {STATED: Verdict.SURVIVES, OPPOSITE: Verdict.FAILS, NOISE: Verdict.OPEN}


@pytest.mark.parametrize("world", EXPECTED)
@pytest.mark.parametrize("name", BY_NAME)
def test_the_verdict_follows_the_runs(name, world):
    outcome = BY_NAME[name].outcome(WORLDS[name](world))
    expected = Verdict.OPEN if (name, world) == ("dirac_noise", OPPOSITE) else EXPECTED[world]
    assert outcome.verdict is expected, [(part.label, part.p_for, part.p_against) for part in outcome.parts]
    assert bool(outcome.needs) == (expected is Verdict.OPEN)
    assert outcome.line().startswith(f"**{expected.value}**")


@pytest.mark.parametrize("name", [name for name, statement in BY_NAME.items() if statement.at_full_length])
def test_short_runs_do_not_decide_a_statement_about_the_full_length(name):
    short = [{**run, "steps_done": "300"} for run in WORLDS[name](STATED)]
    outcome = BY_NAME[name].outcome(short)
    assert set(outcome.verdicts) == {Verdict.SURVIVES}
    assert outcome.verdict is Verdict.OPEN
    assert f"{BY_NAME[name].steps:,} steps" in outcome.line()


def test_one_refuted_part_refutes_the_statement_and_one_undecided_part_leaves_it_open():
    clear, noisy, wrong = (
        better(world, {s: pair(world, s)[0] for s in SEEDS}, {s: pair(world, s)[1] for s in SEEDS})
        for world in (STATED, NOISE, OPPOSITE)
    )
    outcome = BY_NAME["images_better"].outcome(WORLDS["images_better"](STATED))
    assert replace(outcome, parts=[clear, noisy]).verdict is Verdict.OPEN
    assert replace(outcome, parts=[clear, noisy, wrong]).verdict is Verdict.FAILS
    assert replace(outcome, parts=[]).verdict is Verdict.OPEN


def test_a_paired_comparison_is_that_of_scipy():
    first, second = {0: 1.0, 1: 2.5, 2: 2.0, 3: 4.0}, {0: 2.0, 1: 3.0, 2: 4.5, 3: 5.5}
    test = stats.ttest_rel(list(second.values()), list(first.values()))
    part = better("", first, second, scale=0.5)
    assert part.p_for == pytest.approx(float(test.pvalue), rel=1e-9)
    low, high = test.confidence_interval()
    assert (part.estimate, part.low, part.high) == pytest.approx((2 * 1.375, 2 * low, 2 * high))
    assert better("", second, first).p_against == part.p_for
    assert better("", second, first).p_for == 1.0


def test_diverged_runs_lose():
    lost = dict.fromkeys(SEEDS, math.nan)
    finite = dict.fromkeys(SEEDS, 3.0)
    assert better("", finite, lost).p_for == pytest.approx(2 * 0.5**6)
    assert better("", lost, finite).p_against == pytest.approx(2 * 0.5**6)


def test_equivalence_within_and_beyond_the_margin():
    first, second = dict.fromkeys(range(4), 0.0), dict(enumerate((0.02, -0.01, 0.01, 0.0)))
    d = np.array(list(second.values()))
    t = (d.mean() - 0.1) / (d.std(ddof=1) / 2)
    assert alike("", first, second, 0.1).p_for == pytest.approx(float(stats.t.cdf(t, 3)))
    far = {seed: value + 1 for seed, value in second.items()}
    assert alike("", first, far, 0.1).p_for > 0.99
    assert alike("", first, far, 0.1).p_against < 1e-3


def test_the_interval_of_a_rank_correlation():
    """rho is 1 - 6 sum d^2 / (n (n^2 - 1)) = 0.9 for one exchange of neighbours among five."""
    printed = {str(n): float(n) for n in range(5)}
    measured = {str(n): [value] for n, value in enumerate((0.0, 2.0, 1.0, 3.0, 4.0))}
    part = same_order("", printed, measured, "cells")
    se = math.sqrt((1 + 0.9**2 / 2) / 2)
    assert part.estimate == pytest.approx(0.9)
    assert part.low == pytest.approx(math.tanh(math.atanh(0.9) - 1.959964 * se), rel=1e-6)
    assert part.p_for == pytest.approx(2 * stats.norm.sf((math.atanh(0.9) - math.atanh(0.5)) / se))


def test_the_share_of_diverged_runs():
    part = most("", 6, 6, expected=True)
    assert part.p_for == pytest.approx(2 * 0.5**6)
    assert (part.low, part.high) == pytest.approx((0.025 ** (1 / 6), 1.0))
    assert most("", 6, 6, expected=False).p_against == part.p_for


def test_printed_gaps_are_those_of_the_tables():
    """FID of RMSprop at 1e-3 and 1e-4 in table I: 50.79 and 46.31, of an untrained generator 360.06."""
    parts = {part.label: part for part in BY_NAME["epfl_best_rate"].outcome(epfl_best_rate(STATED)).parts}
    untrained = PRINTED["sgd", 1e-7]
    assert untrained is not None
    assert untrained[0] == 360.06
    assert parts["rmsprop 1e-3, epoch 426"].printed == pytest.approx((50.79 - 46.31) / 360.06)
    skips = {part.label: part.printed for part in committed(BY_NAME["forsyth_skips"], RECORDS).parts}
    assert skips == dict.fromkeys(("shallow - no skip, momentum", "shallow - no skip, adam"), 5.0) | dict.fromkeys(
        ("both - shallow, momentum", "both - shallow, adam"), 4.0
    )


def test_the_page_and_the_pictures_are_those_of_the_records(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["papers.py", "--check"])
    assert SCRIPT["main"]() == 0, capsys.readouterr().out


def test_other_records_change_the_page_and_the_pictures():
    found = [committed(statement, RECORDS) for statement in STATEMENTS]
    changed = [
        outcome.statement.outcome(epfl_sgd(OPPOSITE)) if outcome.statement.name == "epfl_sgd" else outcome
        for outcome in found
    ]
    page = (ROOT / "docs" / "papers.md").read_text()
    before, after = (SCRIPT["page"](page, outcomes) for outcomes in (found, changed))
    assert before == page
    assert "- SGD diverges at 1e-3 and above, and not below: does not survive, at" in after
    number = sum(outcome.verdict is Verdict.SURVIVES for outcome in found)
    assert f"**What survives so far: {number} of {len(found)} statements.**" in before
    assert f"**What survives so far: {number - 1} of {len(found)} statements.**" in after
    digests = [SCRIPT["digest"](outcome) for outcome in found]
    assert [SCRIPT["digest"](outcome) != old for outcome, old in zip(changed, digests, strict=True)].count(True) == 1


def test_every_statement_has_a_place_in_the_page():
    page = (ROOT / "docs" / "papers.md").read_text()
    assert WORLDS.keys() == BY_NAME.keys()
    for statement in STATEMENTS:
        assert page.count(f"<!-- statements: {statement.paper} -->") == 1
        assert page.count(f"(pictures/papers_{statement.name}.png)") == 1


def test_verdicts_on_the_runs_of_a_sweep(tmp_path, capsys):
    records = {
        f"{name}-{seed}": record(
            f"mescheder_images/{name}",
            {0: 100.0, 2000: value + 0.1 * NOISES[seed] * (name == "none")},
            seed=seed,
            loss={"_target_": name},
        )
        for name, value in (("none", 90.0), ("r1", 20.0), ("r2", 25.0))
        for seed in range(3)
    }
    sweep = write(tmp_path / "sweep", records)
    assert main([str(sweep)]) == 0
    output = capsys.readouterr().out
    assert "- R1 and R2 work well on images, here: better than no regularisation: survives (2 comparisons" in output
    smoke = record("smoke", {0: 9.0, 10: 1.0})
    without = {**smoke, "cell": {**smoke["cell"], "overrides": {}}}
    for name, content in {"smoke": smoke, "without": without}.items():
        assert main([str(write(tmp_path / name, {"cell": content}))]) == 0
        assert "no finished run of an experiment with a statement" in capsys.readouterr().out
    assert main([str(tmp_path / "absent")]) == 2
