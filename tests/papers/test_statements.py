"""Statements of papers. Mistakes: a verdict that no result changes, a page that differs from the records."""

from __future__ import annotations

import runpy
from dataclasses import replace
from pathlib import Path

import pytest
from tests.papers.fake_records import record, write
from tests.papers.worlds import NOISE, NOISES, OPPOSITE, SEEDS, STATED, WORLDS, epfl_best_rate, epfl_sgd, pair

from gansweep.cli.papers import main
from gansweep.papers.epfl_table1 import PRINTED
from gansweep.papers.parts import better
from gansweep.papers.statement import Verdict, committed
from gansweep.papers.statements import STATEMENTS

ROOT = Path(__file__).parents[2]
RECORDS = ROOT / "docs" / "records"
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "docs" / "papers.py"))
BY_NAME = {statement.name: statement for statement in STATEMENTS}
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
