"""Equivalence, several sweeps, selections and tasks in a report. Mistakes: a sign, another method, a pair left out."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from tests.sweep.fake_cells import cell, diverged, record, write

from gansweep.report import formats, sensitivity, tasks
from gansweep.report.__main__ import main
from gansweep.report.diverged import survival_picture
from gansweep.report.formats import TableOptions, judge
from gansweep.report.study import Study
from gansweep.report.verdict import Margin
from gansweep.results.table import write as write_table
from gansweep.sweep.sweep import Sweep

BEST_FIRST = ("adam", "rmsprop", "sgd")


def one_task(root, data, optimizers=BEST_FIRST, values=None, seeds=4, **changes):
    """Write a sweep of some optimizers on one data set; the optimizers differ by 20, the seeds by about 1."""
    root.mkdir(parents=True, exist_ok=True)
    cells = [cell(root, data=data, optimizer=name, seed=seed) for name in optimizers for seed in range(seeds)]
    fingerprint = {"metric": "fd", "data": data}
    rng = np.random.default_rng(len(data))
    for one in cells:
        place = optimizers.index(one.overrides["optimizer"])
        value = 20.0 * place if values is None else values[place]
        value += 40 + one.overrides["seed"] + rng.normal(0, 0.05)
        write(one, record(one, value, fingerprint=fingerprint, **changes))
    write_table(Sweep(root, cells, f"python -m gansweep -m data={data}"))
    return root


def report(*arguments) -> int:
    return main([str(argument) for argument in arguments])


def sentences(out):
    return " ".join(out.split())


@pytest.fixture
def near(tmp_path):
    return one_task(tmp_path / "near", "ring", values=(0.0, 0.1, 9.0))


def test_equivalence_is_a_verdict(near, capsys):
    assert report(near, "--margin", "2%") == 0
    out = sentences(capsys.readouterr().out)
    assert "Equivalent to it within 2%: optimizer=rmsprop." in out
    assert "It beats optimizer=sgd." in out
    assert "equivalent within 2%" in out
    assert "two one-sided paired t tests" in out
    assert report(near) == 0
    assert "quivalen" not in capsys.readouterr().out


def test_a_margin_in_units_of_the_metric(near, capsys):
    assert report(near, "--margin", "1", "--format", "json") == 0
    first, second, third = json.loads(capsys.readouterr().out)["candidates"]
    assert second["p_equivalent"] <= 0.05 < third["p_equivalent"]
    assert first["p_equivalent"] is None
    (verdict,) = judge(Study.read(near), TableOptions(margin=Margin.parse("2%")))
    assert verdict.absolute_margin == pytest.approx(0.02 * verdict.first.estimate.mean)


@pytest.mark.parametrize("text", ["0", "-1", "x", "%", "nan", "inf"])
def test_a_wrong_margin_is_named(near, capsys, text):
    assert report(near, f"--margin={text}") == 2
    assert capsys.readouterr().err.startswith(f"--margin {text}: expected a number above 0")


def test_sweeps_are_joined_to_tasks(tmp_path, capsys):
    roots = [one_task(tmp_path / name, name) for name in ("ring", "digits", "mnist", "grid", "circle", "swiss_roll")]
    assert report(*roots) == 0
    out = sentences(capsys.readouterr().out)
    assert "3 methods on 6 tasks (data): data=ring; data=digits;" in out
    assert "optimizer=adam has the best mean rank, 1.00. It is better than optimizer=sgd (Nemenyi's test" in out
    assert "Commands:" in out


def test_the_methods_of_a_task_are_compared_by_rank_and_score(tmp_path):
    roots = [one_task(tmp_path / name, name) for name in ("ring", "digits", "mnist")]
    found = tasks.over_tasks(judge(Study.read(*roots), TableOptions()))
    assert found.methods == [f"optimizer={name}" for name in BEST_FIRST]
    assert found.ranks.ranks.tolist() == [1, 2, 3]
    assert found.means.shape == (3, 3)
    untrained, floor = 400.0, 3.1
    assert found.scores[1][0].mean() == pytest.approx((untrained - 61.5) / (untrained - floor), abs=1e-3)
    assert {axis.get_xlabel() for axis in tasks.ranks_picture(found).axes} == {"mean rank (1 is best)"}
    assert len(tasks.profiles_picture(found).axes[0].lines) == 3 + 2, "and those of untrained and of real samples"


def test_a_method_with_a_diverged_run_ranks_last_on_its_task(tmp_path):
    roots = [one_task(tmp_path / name, name) for name in ("ring", "digits")]
    bad = cell(roots[0], data="ring", optimizer="adam", seed=0)
    write(
        bad,
        diverged(bad) | {"metric": {**record(bad, None)["metric"], "fingerprint": {"metric": "fd", "data": "ring"}}},
    )
    found = tasks.over_tasks(judge(Study.read(*roots), TableOptions()))
    means = dict(zip(found.methods, found.means[0], strict=True))
    assert np.isnan(means["optimizer=adam"])
    assert dict(zip(found.methods, found.ranks.ranks, strict=True))["optimizer=adam"] == 2  # 3 and 1
    place = found.methods.index("optimizer=adam")
    assert found.scores[place][0].min() == 0


def test_methods_that_some_task_lacks_are_counted(tmp_path):
    roots = [one_task(tmp_path / "a", "ring"), one_task(tmp_path / "b", "digits", ("adam", "sgd"))]
    found = tasks.over_tasks(judge(Study.read(*roots), TableOptions()))
    assert (found.methods, found.num_left_out) == (["optimizer=adam", "optimizer=sgd"], 1)


def test_one_task_has_no_section(near):
    study = Study.read(near)
    verdicts = judge(study, TableOptions())
    assert tasks.section(verdicts) is None
    assert "Over tasks" not in {section.title for section in formats.sections(study, verdicts)}


def test_an_unknown_task_key_is_named(near, capsys):
    assert report(near, "--tasks", "nothing") == 2
    assert capsys.readouterr().err.startswith("--tasks nothing: not a varied setting, expected some of optimizer")


def test_a_cell_of_two_sweeps_counts_once(tmp_path):
    roots = [one_task(tmp_path / "a", "ring"), one_task(tmp_path / "b", "ring", ("adam",))]
    study = Study.read(*roots)
    assert len(study.results) == 12
    assert study.name == "a + b"


def test_a_page_of_several_sweeps_needs_a_file(tmp_path, capsys):
    roots = [one_task(tmp_path / name, name) for name in ("ring", "digits")]
    assert report(*roots, "--format", "html") == 2
    assert "expected --out PATH" in capsys.readouterr().err
    assert report(*roots, "--format", "html", "--out", tmp_path / "both.html") == 0
    assert "Critical difference" in (tmp_path / "both.html").read_text()


@pytest.mark.parametrize(
    ("where", "count"),
    [
        ("optimizer=adam", 4),
        ("optimizer=adam,sgd and seed<2", 4),
        ("optimizer!=adam", 8),
        ("seed>=2 and optimizer=rmsprop", 2),
        ("seed = 0", 3),
    ],
)
def test_where_selects_cells(near, where, count):
    assert len(Study.read(near, where=where).results) == count


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("optimizer", 'conditions joined by "and"'),
        ("nothing=1", "no cell has a setting nothing"),
        ("seed<x", "< x: expected a number"),
        ("seed>9", "no cell meets"),
    ],
)
def test_a_wrong_condition_is_named(near, capsys, where, words):
    assert report(near, "--where", where) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"--where {where}: ")
    assert words in error


def test_two_configurations_are_compared(near, capsys):
    assert report(near, "--compare", "optimizer=sgd", "optimizer=adam") == 0
    out = capsys.readouterr().out
    assert out.startswith("optimizer=adam is better than optimizer=sgd (4 common seeds, mean difference ")
    assert len(re.findall(r"^\| \d ", out, re.M)) == 4
    assert report(near, "--compare", "optimizer=rmsprop", "optimizer=adam", "--margin", "1") == 0
    assert "equivalent within 1" in capsys.readouterr().out


@pytest.mark.parametrize(("a", "b", "words"), [("optimizer=x", "optimizer=adam", "no configuration has"),
                                               ("optimizer=adam", "optimizer=adam", "both are")])  # fmt: skip
def test_a_wrong_pair_is_named(near, capsys, a, b, words):
    assert report(near, "--compare", a, b) == 2
    assert words in capsys.readouterr().err


def test_top_limits_the_ranks(near, capsys):
    assert report(near, "--top", "1") == 0
    assert "2 more configurations are listed by" in sentences(capsys.readouterr().out)
    assert report(near, "--top", "2") == 0
    assert "1 more configuration is listed by" in sentences(capsys.readouterr().out)
    assert report(near, "--top", "0") == 2
    assert "--top 0" in capsys.readouterr().err


def test_a_method_that_diverges_more_often_is_named(tmp_path, capsys):
    root = tmp_path / "x"
    root.mkdir()
    cells = [cell(root, optimizer=name, seed=seed) for name in ("adam", "sgd") for seed in range(6)]
    for one in cells:
        seed = one.overrides["seed"]
        write(one, diverged(one, 10 + seed) if one.overrides["optimizer"] == "sgd" else record(one, 40.0 + seed))
    write_table(Sweep(root, cells, "x"))
    assert report(root) == 0
    assert "sgd diverges earlier or more often than adam (p = 0.002" in sentences(capsys.readouterr().out)
    (verdict,) = judge(Study.read(root), TableOptions())
    assert len(survival_picture(verdict).axes[0].collections) == 2, "a band for each curve"


def _search(root, count=40):
    """Write a search in which lr decides and the momentum does not."""
    root.mkdir()
    rng = np.random.default_rng(0)
    points = [(float(f"{10 ** rng.uniform(-5, -1):.4g}"), float(f"{rng.random():.3g}")) for _ in range(count)]
    cells = [cell(root, lr=lr, momentum=momentum) for lr, momentum in points]
    for one, (lr, _) in zip(cells, points, strict=True):
        write(one, diverged(one) if lr > 0.05 else record(one, 40.0 + 20 * abs(np.log10(lr) + 3)))
    write_table(Sweep(root, cells, "x"))
    return judge(Study.read(root), TableOptions())[0]


def test_the_importance_of_a_search_is_estimated(tmp_path):
    pytest.importorskip("optuna", reason="needs gansweep[search]")
    verdict = _search(tmp_path / "x")
    shares = sensitivity.importance(verdict)
    assert shares["lr"] > 3 * shares["momentum"]
    assert sum(shares.values()) == pytest.approx(1)
    assert "Estimate" in sensitivity.estimated_section(verdict).blocks[0].text


def test_a_full_grid_and_a_short_search_have_no_estimate(tmp_path, near):
    assert sensitivity.estimated_section(judge(Study.read(near), TableOptions())[0]) is None
    assert sensitivity.estimated_section(_search(tmp_path / "x", 12)) is None


def test_a_compared_configuration_without_progress_is_named(tmp_path, capsys):
    root = one_task(tmp_path / "x", "ring", values=(0.0, 0.1, 359.0))
    assert report(root, "--compare", "optimizer=sgd", "optimizer=adam", "--margin", "2%") == 0
    out = sentences(capsys.readouterr().out)
    assert "No better than the untrained generator: optimizer=sgd." in out
    assert "that they differ by" in out
