"""The command `python -m gansweep.report`. Mistakes: an error without a name, another table than the sweep's."""

from __future__ import annotations

import gc
import os
import subprocess
import sys

import pytest
from tests.sweep.fake_cells import cell, diverged, record, write

from gansweep.report import formats
from gansweep.report.__main__ import main
from gansweep.report.study import Study
from gansweep.results.table import write as write_table
from gansweep.sweep.sweep import Sweep


def small_sweep(root):
    """Write two optimizers, two rates, three seeds; one divergence."""
    root.mkdir()
    cells = [
        cell(root, optimizer=name, lr=lr, seed=seed)
        for name in ("adam", "sgd")
        for lr in (1e-4, 1e-3)
        for seed in range(3)
    ]
    for n, one in enumerate(cells):
        write(one, diverged(one) if n == 11 else record(one, 40.0 + 10 * (n // 3) + n % 3))
    return Sweep(root, cells, "python -m gansweep -m name=x")


def test_prints_the_table_of_the_sweep(tmp_path, capsys):
    expected = write_table(small_sweep(tmp_path / "x"))
    assert main([str(tmp_path / "x")]) == 0
    assert capsys.readouterr().out.startswith(expected.rstrip())


def test_records_are_collected_neither_while_they_are_read_nor_later(tmp_path, monkeypatch):
    states = []
    read, judge = Study.read, formats.judge
    monkeypatch.setattr(Study, "read", lambda *paths, **options: (states.append(gc.isenabled()), read(*paths))[1])
    monkeypatch.setattr(
        formats, "judge", lambda *of: (states.append((gc.isenabled(), gc.get_freeze_count() > 0)), judge(*of))[1]
    )
    write_table(small_sweep(tmp_path / "x"))
    assert main([str(tmp_path / "x")]) == 0
    assert states == [False, (True, True)]
    assert main([str(tmp_path)]) == 2
    assert (gc.isenabled(), gc.get_freeze_count()) == (True, 0), "afterwards as before"


@pytest.mark.parametrize(("arguments", "words"), [(["nowhere"], "no such directory"), (["."], "contains no cells")])
def test_a_wrong_directory_is_an_error(tmp_path, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert words in capsys.readouterr().err


def test_an_unknown_metric_is_answered_by_the_known_ones(tmp_path, capsys):
    write_table(small_sweep(tmp_path / "x"))
    assert main([str(tmp_path / "x"), "--metric", "fid"]) == 2
    assert "--metric fid" in (errors := capsys.readouterr().err)
    assert "fd_digits" in errors


@pytest.mark.parametrize("option", ["--rows", "--cols", "--group"])
def test_a_key_that_was_not_varied_is_a_wrong_argument(tmp_path, capsys, option):
    write_table(small_sweep(tmp_path / "x"))
    assert main([str(tmp_path / "x"), option, "wrongkey"]) == 2
    assert capsys.readouterr().err.startswith(f"{option} wrongkey: not a varied setting, expected ")


@pytest.mark.parametrize(("options", "words"), [(["--cols", ""], "--cols "), (["--rows", "lr,lr"], "--rows lr: given")])
def test_empty_and_repeated_keys_are_wrong_arguments(tmp_path, capsys, options, words):
    write_table(small_sweep(tmp_path / "x"))
    assert main([str(tmp_path / "x"), *options]) == 2
    assert capsys.readouterr().err.startswith(words)


def test_a_file_in_place_of_the_folder_of_figures_is_named(tmp_path, capsys):
    write_table(small_sweep(tmp_path / "x"))
    assert main([str(tmp_path / "x"), "--pictures", str(tmp_path / "x/table.md")]) == 2
    assert capsys.readouterr().err.startswith("--pictures ")


def test_out_creates_its_folder_and_names_an_unwritable_file(tmp_path, capsys):
    write_table(small_sweep(tmp_path / "x"))
    new, taken = tmp_path / "no" / "such" / "t.tex", tmp_path / "x" / "table.md" / "t.tex"
    assert main([str(tmp_path / "x"), "--format", "latex", "--out", str(new)]) == 0
    assert new.read_text().startswith("% ")
    assert main([str(tmp_path / "x"), "--format", "latex", "--out", str(taken)]) == 2
    assert capsys.readouterr().err.startswith(f"--out {taken}: cannot be written: ")


def test_starts_without_torch(tmp_path):
    write_table(small_sweep(tmp_path / "x"))
    code = "import sys; from gansweep.report.__main__ import main; main(sys.argv[1:]); sys.exit('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code, str(tmp_path / "x")], env=os.environ, capture_output=True)
    assert run.returncode == 0, run.stderr
