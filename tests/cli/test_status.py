"""gansweep status. Mistakes: a dead process reported as running, a failure counted as done, a wrong exit code."""

from __future__ import annotations

import json

import pytest
from tests.sweep.fake_cells import cell, diverged, record, write

from gansweep.status import main
from gansweep.sweep import cell_lock, progress
from gansweep.sweep.progress import ProgressFile
from gansweep.sweep.sweep import Sweep


@pytest.fixture
def sweep(tmp_path):
    """Three cells, one of them completed."""
    root = tmp_path / "x"
    root.mkdir()
    cells = [cell(root, optimizer=name) for name in ("adam", "sgd", "lion")]
    Sweep(root, cells, "the command").freeze()
    write(cells[0], record(cells[0], 50.0))
    return root, cells


def status(root, capsys) -> dict:
    assert main([str(root), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_cells_have_state_step_and_values(sweep, capsys):
    root, cells = sweep
    write(cells[1], diverged(cells[1]))
    content = status(root, capsys)
    assert content["counts"] == {"new": 1, "completed": 1, "diverged": 1}
    assert (content["state"], content["commands"], content["processes"]) == ("stopped", ["the command"], [])
    first, second, third = content["cells"]
    assert (first["cell"], first["state"], first["step"], first["steps"]) == (cells[0].name, "completed", 100, 100)
    assert (first["final"], first["best"], first["untrained"], first["metric"]) == (50.0, 49.0, 400.0, "fd_digits")
    assert (second["final"], second["trouble"]) == (None, "diverged at step 17, discriminator: loss is not finite")
    assert (third["step"], third["final"], third["trouble"]) == (None, None, None)
    assert third["overrides"] == {"optimizer": "lion"}


def test_a_process_that_reports_is_running(sweep, capsys, monkeypatch):
    monkeypatch.setattr(progress, "EVERY_S", 0.0)
    root, cells = sweep
    file = ProgressFile(root)
    file.write({cells[1].name: (30, 100)}, 30)
    content = status(root, capsys)
    assert content["state"] == "running"
    assert [process["cells"] for process in content["processes"]] == [[cells[1].name]]
    assert [one["step"] for one in content["cells"]] == [100, 30, None]
    file.remove()
    claim = cell_lock.Claim.acquire(cells[1].directory)
    assert status(root, capsys)["state"] == "running"
    claim.release(finished=True)
    assert status(root, capsys)["state"] == "stopped"


def test_the_exit_code_is_that_of_the_state_on_request_only(sweep, capsys):
    root, cells = sweep
    assert main([str(root)]) == 0
    assert main([str(root), "--exit-code"]) == 4
    failure = {"type": "ValueError", "message": "x", "traceback": ""}
    write(cells[1], record(cells[1], None) | {"state": "failed", "error": failure, "metric": None})
    write(cells[2], diverged(cells[2]))
    assert main([str(root), "--exit-code"]) == 1
    write(cells[1], record(cells[1], 1.0))
    assert main([str(root), "--exit-code"]) == 0


def test_a_directory_without_a_sweep_is_a_wrong_input(tmp_path, capsys):
    for folder in (tmp_path, tmp_path / "none"):
        assert main([str(folder), "--json"]) == 2
        answer = capsys.readouterr()
        assert answer.out == ""
        assert answer.err.startswith(f"{folder}: ")
