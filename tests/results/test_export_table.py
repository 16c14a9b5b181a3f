"""gansweep results. Mistakes: rounded numbers, a missing value as text, an evaluation with the wrong settings."""

from __future__ import annotations

import io
import json

import pandas as pd
import pytest
from tests.sweep.fake_cells import cell, diverged, record, write

from gansweep.results import frame as module
from gansweep.results import load
from gansweep.results.__main__ import FORMATS, ROWS, main
from gansweep.sweep.sweep import Sweep

VALUE = 0.1 + 0.2  # 17 digits


@pytest.fixture
def sweep(tmp_path):
    root = tmp_path / "mine"
    root.mkdir()
    cells = [cell(root, lr=1e-4, optimizer="adam"), cell(root, lr=0.1, optimizer="sgd"), cell(root, lr=1, optimizer=7)]
    Sweep(root, cells, "x").freeze()
    write(cells[0], record(cells[0], VALUE))
    write(cells[1], diverged(cells[1]))
    write(cells[2], record(cells[2], 3.0))
    return root


def written(capsys, *words) -> str:
    assert main(list(map(str, words))) == 0
    return capsys.readouterr().out


def test_json_has_one_object_per_run_with_exact_numbers(sweep, capsys):
    runs = json.loads(written(capsys, sweep, "--format", "json"))
    by_lr = {run["lr"]: run for run in runs}
    assert (by_lr[1e-4]["final"], by_lr[1e-4]["optimizer"], by_lr[1e-4]["best"]) == (VALUE, "adam", VALUE - 1)
    assert (by_lr[0.1]["final"], by_lr[0.1]["state"], by_lr[0.1]["divergence_step"]) == (None, "diverged", 17)
    assert by_lr[1]["optimizer"] == 7
    assert [*runs[0]] == list(load(sweep).columns)


def test_csv_is_read_as_the_frame(sweep, capsys):
    read = pd.read_csv(io.StringIO(written(capsys, sweep)))
    assert list(read.columns) == list(load(sweep).columns)
    assert read.set_index("lr")["final"].to_dict()[1e-4] == VALUE
    assert read.set_index("lr")["final"].isna().to_dict() == {1e-4: False, 0.1: True, 1: False}


def test_one_row_per_evaluation_with_the_settings_of_its_run(sweep, capsys):
    rows = json.loads(written(capsys, sweep, "--rows", "evaluations", "--format", "json"))
    shown = {(row["lr"], row["step"]): row["value"] for row in rows}
    assert shown[1e-4, 0] == 400.0
    assert (shown[1e-4, 80], shown[1e-4, 100]) == (VALUE - 1, VALUE)
    assert (shown[1, 80], shown[1, 100]) == (2.0, 3.0)
    assert {(row["lr"], row["optimizer"], row["state"]) for row in rows} >= {
        (1e-4, "adam", "completed"),
        (1, 7, "completed"),
    }


def test_several_sweeps_are_one_table(sweep, tmp_path, capsys):
    other = tmp_path / "other"
    other.mkdir()
    one = cell(other, seed=3)
    Sweep(other, [one], "x").freeze()
    write(one, record(one, 1.0))
    rows = json.loads(written(capsys, sweep, other, "--format", "json"))
    assert [row["sweep"] for row in rows] == ["mine", "mine", "mine", "other"]
    assert rows == json.loads(written(capsys, tmp_path, "--format", "json"))


def test_a_file_is_written_and_wrong_input_is_refused(sweep, tmp_path, capsys):
    out = tmp_path / "new" / "r.csv"
    assert written(capsys, sweep, "--out", out) == f"wrote {out}\n"
    assert out.read_text() == written(capsys, sweep)
    assert main([str(tmp_path / "none")]) == 2
    assert "none: no such folder" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert main([str(tmp_path / "empty")]) == 2
    assert "no records" in capsys.readouterr().err
    assert main([str(sweep), "--out", str(out / "below")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_parquet_without_pyarrow_or_file_is_refused(sweep, tmp_path, capsys, monkeypatch):
    assert main([str(sweep), "--format", "parquet"]) == 2
    assert "requires a file, as --out" in capsys.readouterr().err
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    assert main([str(sweep), "--format", "parquet", "--out", str(tmp_path / "r.parquet")]) == 2
    assert "pip install 'gansweep[parquet]'" in capsys.readouterr().err
    assert not (tmp_path / "r.parquet").exists()


@pytest.mark.parametrize("rows", ROWS)
def test_parquet_is_read_as_the_frame(rows, sweep, tmp_path, capsys):
    pytest.importorskip("pyarrow")
    written(capsys, sweep, "--rows", rows, "--format", "parquet", "--out", tmp_path / "r.parquet")
    read = pd.read_parquet(tmp_path / "r.parquet")
    expected = (module.frame if rows == "runs" else module.long_form)(list(module_read(sweep)))
    assert list(read.columns) == list(expected.columns)
    numbers = [name for name in expected if expected[name].dtype in ("Float64", "Int64")]
    assert read[numbers].equals(expected[numbers])
    assert set(read["optimizer"]) == {"adam", "sgd", "7"}


def module_read(path):
    from gansweep.results.frame import read

    return read(path)


def test_help_does_not_import_pandas(capsys):
    assert (FORMATS, ROWS) == (module.FORMATS, module.ROWS)
    for words in (["--help"], ["merge", "--help"], ["archive", "--help"]):
        with pytest.raises(SystemExit):
            main(words)
        assert "usage: " in capsys.readouterr().out


def test_a_run_that_several_paths_contain_is_one_row(sweep, capsys):
    one = next(sweep.glob("lr=0.0001*"))
    assert written(capsys, one, sweep, sweep.parent) == written(capsys, sweep)


def test_an_edited_record_is_left_out_with_one_line(sweep, capsys):
    one = next(sweep.glob("lr=0.0001*")) / "record.json"
    one.write_text(one.read_text().replace(f'"final": {VALUE}', '"final": 0.0'))
    assert main([str(sweep)]) == 0
    err = capsys.readouterr().err
    assert err.startswith(f"left out: {one} was edited: ")
    assert err.count("\n") == 1
