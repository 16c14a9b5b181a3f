"""The state of a sweep from its files. Mistakes: a dead process shown, a finished cell counted as running, no best."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest
from tests.sweep.fake_cells import cell, diverged, record, write

from gansweep.sweep import progress
from gansweep.sweep.progress import ProgressFile, read_progress
from gansweep.sweep.sweep import Sweep
from gansweep.watch import main


@pytest.fixture
def sweep(tmp_path):
    """Five cells: two completed, one diverged, two waiting."""
    root = tmp_path / "x"
    root.mkdir()
    cells = [cell(root, optimizer=name) for name in ("adam", "sgd", "lion", "adan", "muon")]
    Sweep(root, cells, "x").freeze()
    write(cells[0], record(cells[0], 50.0))
    write(cells[1], record(cells[1], 40.0))
    write(cells[2], diverged(cells[2]))
    return root, cells


@pytest.fixture
def at_once(monkeypatch):
    monkeypatch.setattr(progress, "EVERY_S", 0.0)


def shown(capsys, root):
    assert main([str(root), "--once"]) == 0
    return capsys.readouterr().out


def test_counts_and_the_best_value(sweep, capsys):
    root, cells = sweep
    first, best, rest = shown(capsys, root).splitlines()
    assert first == f"{root}: 5 cells: 2 completed, 2 waiting, 1 diverged"
    assert best == f"best so far: fd_digits 40.00, {cells[1].name}"
    assert rest.startswith("No process reports its progress")


def test_nothing_is_best_that_is_no_better_than_untrained(sweep, capsys):
    root, cells = sweep
    for one, value in zip(cells, (50.0, 40.0), strict=False):
        write(one, record(one, value, untrained=40.0))
    assert shown(capsys, root).splitlines()[1] == "no cell is better than the untrained generator so far"


def test_a_damaged_sweep_json_is_shown(sweep, capsys):
    root, cells = sweep
    (root / "sweep.json").write_text("{")
    first, _, last = shown(capsys, root).splitlines()
    assert first == f"{root}: 3 cells: 2 completed, 1 diverged"
    assert last.startswith(f"{root / 'sweep.json'} can't be read: ")
    assert last.endswith("; cells without a record are not shown")
    for one in cells:
        (one.directory / "record.json").unlink(missing_ok=True)
    assert main([str(root), "--once"]) == 2
    assert "contains no cells with a record, and" in capsys.readouterr().err


@pytest.mark.usefixtures("at_once")
def test_a_running_process_is_shown_with_its_cells_and_the_remaining_time(sweep, capsys):
    root, cells = sweep
    file = ProgressFile(root)
    file._written -= 10  # ten seconds ago
    file.write({cells[3].name: (60, 100)}, 50)
    text = shown(capsys, root)
    assert "2 completed, 1 diverged, 1 running, 1 waiting; about 2" in text  # 140 steps at about 5 steps/s
    assert f" {os.getpid()}: 1 cell, " in text
    assert f"{cells[3].name} step 60 of 100" in text
    file.remove()
    assert not read_progress(root)


@pytest.mark.usefixtures("at_once")
def test_a_dead_process_is_not_shown(sweep):
    root, _ = sweep
    code = "import sys; from gansweep.sweep import progress as p; p.EVERY_S = 0; from pathlib import Path; " \
           "p.ProgressFile(Path(sys.argv[1])).write({'a': (1, 2)}, 1)"  # fmt: skip
    subprocess.run([sys.executable, "-c", code, str(root)], check=True)
    assert list(root.glob(".progress.*"))
    assert read_progress(root) == []


def test_the_process_of_another_machine_is_shown_while_its_file_is_new(sweep):
    root, _ = sweep
    path = root / ".progress.other.1.json"
    about = {"process": {"host": "other", "pid": 1, "started": ""}, "running": {"a": [1, 2]}, "steps_per_s": 1.0}
    path.write_text(json.dumps(about | {"host": "other"}))
    assert [one.host for one in read_progress(root)] == ["other"]
    os.utime(path, (time.time() - 100,) * 2)
    assert read_progress(root) == []


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"process": 3}', '{"process": {}, "running": {"a": 1}}'])
def test_a_damaged_file_is_ignored(sweep, content):
    root, _ = sweep
    (root / ".progress.x.1.json").write_text(content)
    assert read_progress(root) == []


def test_an_ended_sweep_ends_the_command(sweep, capsys):
    root, cells = sweep
    for one in cells[3:]:
        write(one, record(one, 60.0))
    assert main([str(root)]) == 0
    assert "4 completed, 1 diverged" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"), [(["nowhere"], "no such directory"), ([".", "--every", "0"], "--every 0")]
)
def test_wrong_arguments(tmp_path, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert words in capsys.readouterr().err


def test_a_training_leaves_no_file(gansweep):
    assert gansweep.tiny("-m", "lr=1e-4,1e-3", "name=x", "progress=plain").code == 0
    assert not list((gansweep.folder / "outputs/x").glob(".progress.*"))


def test_starts_without_torch(sweep):
    root, _ = sweep
    code = (
        "import sys; from gansweep.watch import main; main([sys.argv[1], '--once']); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(root)], capture_output=True).returncode == 0


def test_an_interrupted_sweep_ends_the_command(sweep, capsys):
    root, cells = sweep
    cells[3].directory.mkdir(exist_ok=True)
    (cells[3].directory / "checkpoint.pt").write_bytes(b"")
    assert main([str(root)]) == 0
    out = capsys.readouterr().out
    assert "1 resumable" in out
    assert out.endswith("No process reports its progress. To continue: x\n")
    Sweep(root, cells, "y").freeze()
    assert main([str(root)]) == 0
    assert capsys.readouterr().out.endswith("To continue: x\n  y\n")
