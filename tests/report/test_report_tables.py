from __future__ import annotations

import csv
import io
import json
import math
import re
from dataclasses import replace

import pytest
from tests.report.studies import HERE, by_lr, study, texts, verdict
from tests.sweep.fake_cells import cell, record

from gansweep.report import formats
from gansweep.report.columns import COLUMNS
from gansweep.report.formats import TableOptions
from gansweep.report.pivot import pivot
from gansweep.report.study import Study
from gansweep.results.configuration import select
from gansweep.sweep.cell import Result, State


def test_a_run_without_a_value_ranks_behind_all_and_is_in_no_mean(tmp_path):
    found = verdict(by_lr(tmp_path, {1: [1.0, 1.0, None], 2: [9.0, 9.1, 9.2], 3: [None, None, None]}))
    names = [found.leaderboard.configurations[place].settings["lr"] for place in found.order]
    assert names == [2, 1, 3]
    assert texts(pivot(found))[1] == ["1", "1.00 ± 0.00 (2 of 3) [1]"]
    assert "[1]" in formats.in_markdown(
        by_lr(tmp_path, {1: [1.0, None], 2: [9.0, 9.1]}), TableOptions(rows=("lr",)), HERE
    )


def test_errors_and_runs_that_are_missing_count_neither_way(tmp_path):
    found = verdict(by_lr(tmp_path, {1: [1.0, 1.1, State.FAILED], 2: [9.0, 9.1, State.NEW]}))
    first = found.first
    assert first.settings["lr"] == 1
    assert first.num_failed == 1
    assert first.estimate.num_na == 0
    assert found.leaderboard.configurations[1].num_missing == 1


def test_higher_is_better_turns_everything(tmp_path):
    of = by_lr(tmp_path, {1: [1.0, 1.1, 1.2, 1.0, 1.1], 2: [9.0, 9.1, 9.3, 9.2, 9.4], 3: [None] * 5})
    for result in of.results:
        result.record["metric"] |= {"lower_is_better": False, "untrained": 0.0}
    found = verdict(of)
    assert [found.leaderboard.configurations[place].settings["lr"] for place in found.order] == [2, 1, 3]
    assert found.against_first(0) == "beaten"
    assert found.p_first[1] == 1


def test_the_verdict_names_who_is_beaten_and_what_is_undecided(tmp_path):
    near = {1: [1.0, 2.0, 3.0, 4.0], 2: [1.2, 1.9, 3.3, 4.1], 3: [11.0, 12.1, 12.9, 14.0]}
    text = formats.in_markdown(by_lr(tmp_path, near), TableOptions(), HERE)
    assert "**lr=1** is first of 3" in text
    assert "It beats lr=3." in text
    assert re.search(r"Undecided against lr=2; needs about \d+ more seeds?\. Tests: ", text)


def test_of_several_undecided_comparisons_the_shortest_is_named(tmp_path):
    near = {1: [1.0, 2.0, 3.0, 4.0], 2: [1.2, 1.9, 3.3, 4.1], 3: [1.5, 1.8, 3.9, 4.2]}
    text = formats.in_markdown(by_lr(tmp_path, near), TableOptions(), HERE)
    assert "Undecided against" in text
    assert re.search(r"fewest additional seeds is with lr=\d: about \d+ more seeds?\.", text)


def test_one_seed_each_says_nothing(tmp_path):
    text = formats.in_markdown(by_lr(tmp_path, {1: [1.0], 2: [9.0]}), TableOptions(), HERE)
    assert "is not enough for a test" in text
    assert "beats" not in text


def test_rows_and_columns_are_those_asked_for_and_nothing_else_is_averaged(tmp_path):
    grid = [
        ({"loss": loss, "optimizer": o, "lr": lr, "seed": s}, 10.0 * lr + s)
        for loss in "ab"
        for o in "xy"
        for lr in (1, 2)
        for s in (0, 1)
    ]
    found = texts(pivot(verdict(study(tmp_path, grid)), rows=("optimizer",), across="loss"))
    assert found[0] == ["optimizer", "lr", "loss=a", "loss=b"]
    assert found[1] == ["x", "1", "10.50 ± 0.71 (2)", "10.50 ± 0.71 (2)"]
    assert len(found) == 5
    over_rates = texts(pivot(verdict(study(tmp_path, grid), group=("seed", "lr"))))
    assert over_rates[0] == ["loss", "optimizer=x", "optimizer=y"]
    assert "(4)" in over_rates[1][1]


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (TableOptions(rows=("loss",)), r"--rows loss: not a varied setting, expected one of lr"),
        (TableOptions(cols="loss"), r"--cols loss: not a varied setting"),
        (TableOptions(rows=("lr",), cols="lr"), r"--cols lr: already in --rows"),
        (TableOptions(cols="seed"), r"--cols seed: runs are averaged over this setting"),
    ],
)
def test_a_key_that_was_not_varied_is_answered_by_those_that_were(tmp_path, wish, words):
    with pytest.raises(ValueError, match=words):
        formats.in_markdown(by_lr(tmp_path, {1: [1.0, 2.0], 2: [2.0, 3.0]}), wish, HERE)


def test_the_best_is_optimistic_unless_other_latents_told_it():
    evaluations = [{"step": 0, "value": 9.0}, {"step": 1, "value": 2.0}, {"step": 2, "value": 3.0}]
    metric = {"evaluations": evaluations, "best": 2.0, "best_step": 1, "final": 3.0, "final_step": 2}
    assert select(metric, "final").value == 3
    assert not select(metric, "final").optimistic
    assert select(metric, "best").value == 2
    assert select(metric, "best").optimistic
    assert not select(metric | {"evaluations": evaluations[:2]}, "best").optimistic  # there was nothing to choose
    chosen = select(metric | {"best_apart": 2.6}, "best")
    assert (chosen.value, chosen.step, chosen.optimistic) == (2.6, 1, False)
    assert math.isnan(select({"evaluations": evaluations[:1], "best": None, "best_apart": None}, "best").value)


def test_csv_and_json_have_the_columns_that_are_documented(tmp_path):
    of = by_lr(tmp_path, {1: [1.0, 2.0, None], 2: [9.0, 9.1, 9.2], 3: [State.NEW] * 3})
    rows = list(csv.DictReader(io.StringIO(formats.in_csv(of, TableOptions(), HERE))))
    assert list(rows[0]) == ["lr", *COLUMNS]
    assert rows[0]["lower_is_better"] == "true"
    assert rows[0]["select"] == "final"
    assert [(row["lr"], row["rank"], row["num_na"], row["mean"]) for row in rows] == [
        ("2", "1", "0", "9.1"),
        ("1", "2", "1", "1.5"),
        ("3", "", "0", ""),
    ]
    content = json.loads(formats.in_json(of, TableOptions(), HERE))
    assert set(content["candidates"][0]) == {"lr", *content["columns"]}
    assert content["candidates"][1]["runs"] == {"0": 1.0, "1": 2.0, "2": None}
    assert content["candidates"][2]["mean"] is None


def test_values_of_different_rulers_are_never_compared(tmp_path):
    of = by_lr(tmp_path, {1: [1.0, 2.0], 2: [9.0, 9.1]})
    for result in of.results[2:]:
        result.record["metric"]["fingerprint"] = {"metric": "fd_digits", "n_real": 5, "n_fake": 5}
    rows = list(csv.DictReader(io.StringIO(formats.in_csv(of, TableOptions(), HERE))))
    assert [row["contest"] for row in rows] == ["1", "2"]
    assert "can't be compared" in formats.in_markdown(of, TableOptions(select="best"), HERE)


def by_fingerprint(root):
    """Two settings, each with a number of samples of its own."""
    of = study(root, [({"metric.num_samples": n, "lr": lr}, 1.0 * lr) for n in (40, 80) for lr in (1, 2)])
    for result in of.results:
        n = result.cell.overrides["metric.num_samples"]
        result.record["metric"]["fingerprint"] = {"metric": "w1", "n_fake": n}
    return of


def test_every_format_says_which_settings_a_table_is_of(tmp_path):
    of = by_fingerprint(tmp_path)
    captions = re.findall(r"\\caption\{(.*)\}", formats.in_latex(of, TableOptions(), HERE))
    assert [f"metric.num\\_samples={n}" in text for n, text in zip((40, 80), captions, strict=True)] == [True, True]
    rows = list(csv.DictReader(io.StringIO(formats.in_csv(of, TableOptions(), HERE))))
    assert [(row["contest"], row["metric.num_samples"]) for row in rows] == [("1", "40")] * 2 + [("2", "80")] * 2
    assert json.loads(formats.in_json(of, TableOptions(), HERE))["candidates"][3]["metric.num_samples"] == 80
    for wish in (TableOptions(), TableOptions(select="best")):
        assert "### Table 2: fd_digits, metric.num_samples=80" in formats.in_markdown(of, wish, HERE)
    page = formats.in_html(of, TableOptions(), HERE)
    assert page.count("<caption><span>Final fd_digits, lower is better; metric.num_samples=80; untrained ") == 1
    assert page.count("<caption><span>Final fd_digits, lower is better; metric.num_samples=80.") == 1


def test_runs_on_other_data_are_another_configuration_and_none_is_lost(tmp_path):
    of = by_lr(tmp_path, {1: [1.0, 1.1]})
    later = [
        Result(replace(one.cell, identity=one.cell.identity | {"data": "b" * 64}), one.state, record(one.cell, 7.0))
        for one in of.results
    ]
    found = verdict(replace(of, results=(*of.results, *later)))
    assert [one.settings["data content"] for one in found.leaderboard.configurations] == ["data-hash", "bbbbbbbb"]
    assert [len(one.runs) for one in found.leaderboard.configurations] == [2, 2]


def test_intervals_have_the_decimals_of_the_mean(tmp_path):
    finals = {1: [0.61, 0.71, 0.8065], 2: [1.5, 1.8, 2.175]}
    text = formats.in_markdown(by_lr(tmp_path, finals), TableOptions(), HERE)
    assert re.search(r"\| 0\.709 +\| 0\.465 to 0\.953 +\|", text), text
    assert re.search(r"\| 1\.82 +\| 0\.98 to 2\.67 +\|", text), text
    assert r"{0.709 \pm 0.098}$ \\" in formats.in_latex(by_lr(tmp_path, finals), TableOptions(), HERE)


def test_seeds_that_diverged_at_one_step_have_one_step(tmp_path):
    one = by_lr(tmp_path, {1: [None] * 5, 2: [1.0] * 5})
    (note, *_) = pivot(verdict(one)).notes
    step = one.results[0].diverged_at
    assert note.startswith(f"diverged at step {step}: "), note


@pytest.mark.parametrize(
    "finals",
    [
        {1: [None, None], 2: [None, None]},
        {1: [State.NEW, State.NEW], 2: [State.RESUMABLE, State.CLAIMED]},
        {1: [State.FAILED, State.FAILED]},
        {1: [5.0]},
        {1: [0.0, 0.0], 2: [-1.0, 1.0]},
        {1: [1.0, 2.0], 2: [3.0]},
    ],
)
@pytest.mark.parametrize("name", ["md", "csv", "json", "latex"])
def test_every_sweep_has_a_report_finished_or_not(tmp_path, finals, name):
    of = by_lr(tmp_path, finals)
    assert "1" in formats.FORMATS[name](of, TableOptions(), HERE)
    assert formats.FORMATS[name](of, TableOptions(select="best"), HERE)


def test_runs_that_were_not_measured_are_done_and_nothing_else(tmp_path):
    one = cell(tmp_path, lr=1, seed=0)
    of = Study((tmp_path,), (Result(one, State.COMPLETED, record(one, metric=None)),), ())
    assert "No run has a value yet." in formats.in_markdown(of, TableOptions(), HERE)
    assert texts(pivot(verdict(of)))[1][1] == "done"
