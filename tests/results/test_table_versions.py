"""table.md of runs of several versions of edited code."""

from __future__ import annotations

import csv
import io

from tests.results.tables import done, rows, version
from tests.sweep.fake_cells import write

from gansweep.results.frame import spreadsheet
from gansweep.results.table import table
from gansweep.sweep.sweep import Sweep

OMITTED = "1 run of other versions of edited code left out; results.csv lists all runs"


def test_one_version_of_edited_code_is_shown_in_the_place_of_the_first(tmp_path):
    results = [version(tmp_path, 1, "a"), done(tmp_path, 70.0, optimizer="adam", lr=1), version(tmp_path, 1, "b")]
    for code, final in {"a": "50.00", "b": "60.00"}.items():
        text = table(results, code={"my.gans": code * 64})
        assert [row[:2] for row in rows(text)[1:]] == [["mine", final], ["adam", "70.00"]]
        assert f"{OMITTED}.\n" in text
    assert len(list(csv.DictReader(io.StringIO(spreadsheet(results))))) == 3


def test_without_a_current_version_the_last_finished_one_is_shown(tmp_path):
    results = [version(tmp_path, 1, "a", "2026-01-02T00:00:00"), version(tmp_path, 1, "b", "2026-01-01T00:00:00")]
    for order in (results, results[::-1]):
        for code in ({}, {"my.gans": "c" * 64}):
            assert rows(table(order, code=code))[1][-2] == "50.00"
    assert OMITTED in table(results)
    assert f"{OMITTED}; 1 run shown of an earlier version" in table(results, code={"my.gans": "c" * 64})


def test_runs_of_an_earlier_version_only_are_shown_and_counted(tmp_path):
    earlier = "1 run shown of an earlier version of edited code, not trained with the current one."
    results = [version(tmp_path, 1, "a"), version(tmp_path, 1, "b"), version(tmp_path, 2, "a")]
    text = table(results, code={"my.gans": "b" * 64})
    assert [row[:2] for row in rows(text)[1:]] == [["1", "60.00"], ["2", "50.00"]]
    assert f"{OMITTED}; {earlier}\n" in text
    text = table(results, code={"my.gans": "a" * 64})
    assert [row[:2] for row in rows(text)[1:]] == [["1", "50.00"], ["2", "50.00"]]
    assert f"{OMITTED}.\n" in text
    assert f"\n\n{earlier}\n" in table(results[1:], code={"my.gans": "b" * 64})


def test_a_sweep_remembers_which_version_its_last_command_used(tmp_path):
    old, new = (write_cell(version(tmp_path, 1, code)) for code in "ab")
    for cells, current in (([old], "a"), ([new], "b"), ([old], "a"), ([done(tmp_path, lr=3).cell], "a")):
        Sweep(tmp_path, cells).freeze()
        assert Sweep(tmp_path, []).code == {"my.gans": current * 64}
    (tmp_path / "sweep.json").write_text("{")
    assert Sweep(tmp_path, []).code == {}
    assert len(Sweep(tmp_path, []).results) == 2


def write_cell(result):
    write(result.cell, result.record)
    return result.cell
