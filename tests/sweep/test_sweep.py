"""A sweep: which cells are trained, stored and reported."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fake_cells import Trainer, cell, diverged, one_by_one, record, write
from tests.sweep.grids import QUIET, grid, states

from gansweep.results.table import write as write_table
from gansweep.sweep import cell_lock, process
from gansweep.sweep.cell import State, state
from gansweep.sweep.sweep import Sweep
from gansweep.sweep.sweep_directory import set_aside
from gansweep.training.interruption import Stop, StoppedAtOnce


def test_the_same_sweep_again_trains_nothing(tmp_path):
    cells = grid(tmp_path, "adam", "sgd")
    write(cells[1], diverged(cells[1]))
    first = Sweep(tmp_path, cells).run(one_by_one(Trainer()), **QUIET)
    trainer = Trainer()
    again = Sweep(tmp_path, cells).run(one_by_one(trainer), **QUIET)
    assert trainer.trained == []
    assert again.records == first.records
    assert again.exit_code == 0
    assert states(cells) == ["completed", "diverged"]


def test_unfinished_and_failed_cells_are_trained(tmp_path):
    cells = grid(tmp_path, "adam", "sgd")
    cells[0].directory.mkdir(parents=True)
    (cells[0].directory / "checkpoint.pt").write_text("")
    Sweep(tmp_path, cells[1:]).run(one_by_one(Trainer(sgd=ValueError("no"))), **QUIET)
    assert states(cells) == ["resumable", "failed"]
    trainer = Trainer()
    assert Sweep(tmp_path, cells).run(one_by_one(trainer), **QUIET).exit_code == 0
    assert trainer.trained == [one.name for one in cells]


def test_retry_failed_false_keeps_the_failure(tmp_path):
    cells = grid(tmp_path, "sgd")
    Sweep(tmp_path, cells).run(one_by_one(Trainer(sgd=ValueError("no"))), **QUIET)
    trainer = Trainer()
    outcome = Sweep(tmp_path, cells).run(one_by_one(trainer), retry_failed=False, **QUIET)
    assert trainer.trained == []
    assert outcome.exit_code == 1
    assert outcome.records[cells[0].hash]["error"]["message"] == "no"


def test_files_of_a_process_that_died_after_the_record_are_removed(tmp_path):
    (one,) = grid(tmp_path, "adam")
    Sweep(tmp_path, [one]).run(one_by_one(Trainer()), **QUIET)
    nobody = {"host": process.here()["host"], "pid": 2**22 + 1, "started": "0"}
    (one.directory / ".claim.0").write_text(json.dumps(nobody))
    (one.directory / "checkpoint.previous.pt").write_text("")
    trainer = Trainer()
    assert Sweep(tmp_path, [one]).run(one_by_one(trainer), **QUIET).exit_code == 0
    assert trainer.trained == []
    assert sorted(path.name for path in one.directory.iterdir()) == ["record.json"]


def test_a_live_claim_on_a_finished_cell_is_kept(tmp_path):
    (one,) = grid(tmp_path, "adam")
    Sweep(tmp_path, [one]).run(one_by_one(Trainer()), **QUIET)
    with cell_lock.Claim.acquire(one.directory):
        Sweep(tmp_path, [one]).run(one_by_one(Trainer()), **QUIET)
        assert (one.directory / ".claim.0").exists()


@pytest.mark.parametrize("error", [ValueError("broken"), SystemExit(7), MemoryError(), RuntimeError()], ids=repr)
def test_a_cell_that_raises_does_not_stop_the_others(tmp_path, error):
    cells = grid(tmp_path, "adam", "rmsprop", "sgd")
    outcome = Sweep(tmp_path, cells).run(one_by_one(Trainer(rmsprop=error)), **QUIET)
    assert states(cells) == ["completed", "failed", "completed"]
    assert outcome.exit_code == 1
    failed = json.loads((cells[1].directory / "record.json").read_text())
    assert failed["error"]["type"] == type(error).__name__
    assert failed["error"]["message"]
    assert "in __call__" in failed["error"]["traceback"]


def test_a_directory_that_cannot_be_created_fails_only_its_cell(tmp_path, monkeypatch):
    cells = grid(tmp_path, "adam", "sgd")
    acquire = cell_lock.Claim.acquire

    def refused(directory, **about):
        if directory == cells[0].directory:
            raise PermissionError(13, "Permission denied")
        return acquire(directory, **about)

    monkeypatch.setattr(cell_lock.Claim, "acquire", refused)
    outcome = Sweep(tmp_path, cells).run(one_by_one(Trainer()), **QUIET)
    assert outcome.records[cells[0].hash]["state"] == "failed"
    assert states(cells)[1] == "completed"


def test_a_file_in_place_of_a_cells_directory_is_renamed(tmp_path, caplog):
    (one,) = grid(tmp_path, "adam")
    one.directory.write_text("in the way")
    assert Sweep(tmp_path, [one]).run(one_by_one(Trainer()), **QUIET).exit_code == 0
    aside = one.directory.with_name(one.name + ".unreadable")
    assert aside.read_text() == "in the way"
    assert str(one.directory) in caplog.text


def test_an_interruption_stops_the_sweep_and_leaves_the_rest(tmp_path):
    from gansweep.training.trainer import Interrupted

    cells, stop = grid(tmp_path, "adam", "sgd", "rmsprop"), Stop()

    def train(of, asked, progress):
        stop.request()
        assert asked()
        raise Interrupted(5)

    outcome = Sweep(tmp_path, cells).run(one_by_one(train), stop=stop, **QUIET)
    assert outcome.interrupted
    assert outcome.exit_code == 130
    assert outcome.missing == cells
    assert outcome.records == {}
    assert [cell_lock.holder(one.directory) for one in cells] == [None, None, None]


def test_a_second_interrupt_releases_the_cell(tmp_path):
    cells = grid(tmp_path, "sgd")
    with pytest.raises(StoppedAtOnce):
        Sweep(tmp_path, cells).run(one_by_one(Trainer(sgd=StoppedAtOnce())), **QUIET)
    assert states(cells) == ["new"]


def test_equal_cells_are_trained_once_and_listed_in_notices(tmp_path):
    cells = [cell(tmp_path, lr=1e-4), cell(tmp_path, lr=0.0001), cell(tmp_path, lr=1e-3)]
    trainer, combined = Trainer(), Sweep(tmp_path, cells)
    combined.run(one_by_one(trainer), **QUIET)
    assert len(trainer.trained) == 2
    (notice,) = combined.notices
    assert cells[0].name in notice
    assert "once" in notice


def test_existing_cells_of_a_wider_grid_keep_their_names(tmp_path):
    narrow = grid(tmp_path, "adam", "sgd")
    first = Sweep(tmp_path, narrow)
    first.freeze()
    first.run(one_by_one(Trainer()), **QUIET)
    wide = [cell(tmp_path, optimizer=name, seed=seed) for name in ("adam", "sgd") for seed in (0, 1)]
    trainer, second = Trainer(), Sweep(tmp_path, wide)
    second.freeze()
    second.run(one_by_one(trainer), **QUIET)
    assert trainer.trained == [wide[1].name, wide[3].name]
    assert second.cells[0].directory == narrow[0].directory


@pytest.mark.parametrize("frozen", [True, False])
def test_cells_of_earlier_grids_stay_in_the_table(tmp_path, frozen):
    wide = Sweep(tmp_path, grid(tmp_path, "adam", "sgd", "rmsprop"))
    if frozen:
        wide.freeze()
    wide.run(one_by_one(Trainer()), **QUIET)
    narrow = Sweep(tmp_path, grid(tmp_path, "sgd"))
    narrow.freeze()
    text = write_table(narrow)
    assert {"adam", "sgd", "rmsprop"} <= set(text.split())
    frozen_cells = json.loads((tmp_path / "sweep.json").read_text())["cells"]
    assert {one["overrides"]["optimizer"] for one in frozen_cells} == {"adam", "sgd", "rmsprop"}
    assert frozen_cells[0]["config"]["steps"] == 100
    rows = list(csv.DictReader((tmp_path / "results.csv").read_text().splitlines()))
    assert len(rows) == 3
    assert {row["final"] for row in rows} == {"50.0"}
    assert all(row["optimizer_d"] == row["optimizer"] for row in rows)
    assert {"lr", "lr_d", "batch_size", "critic_steps", "seed"} <= rows[0].keys()
    assert (tmp_path / "table.md").read_text() == text


def test_command_lines_are_stored_once(tmp_path):
    for line in ("first", "second", "first"):
        one = Sweep(tmp_path, grid(tmp_path, line), line)
        one.freeze()
        text = write_table(one)
    assert json.loads((tmp_path / "sweep.json").read_text())["commands"] == ["first", "second"]
    assert "- `first`\n- `second`" in text


def test_a_file_at_the_path_of_the_sweep_is_not_a_damaged_sweep(tmp_path, caplog):
    (tmp_path / "outputs").write_text("")
    root = tmp_path / "outputs" / "mine"
    assert Sweep(root, grid(root, "adam")).earlier == {}
    assert caplog.text == ""
    assert Sweep(tmp_path / "outputs", grid(tmp_path / "outputs", "adam")).earlier == {}
    assert caplog.text == ""


def test_a_truncated_sweep_json_is_named_and_written_again(tmp_path, caplog):
    (tmp_path / "sweep.json").write_text('{"cells": [{"na')
    one = Sweep(tmp_path, grid(tmp_path, "adam"))
    assert "sweep.json" in caplog.text
    one.freeze()
    assert len(json.loads((tmp_path / "sweep.json").read_text())["cells"]) == 1


@pytest.mark.parametrize("torn", ["", '{"format": 1, "sta', "[]", '{"format": 99}', "\0" * 10])
def test_an_unreadable_record_is_renamed_and_the_cell_trained(tmp_path, caplog, torn):
    (one,) = grid(tmp_path, "adam")
    one.directory.mkdir(parents=True)
    (one.directory / "record.json").write_text(torn)
    assert Sweep(tmp_path, [one]).run(one_by_one(Trainer()), **QUIET).exit_code == 0
    assert caplog.text.count(str(one.directory)) == 1
    assert (one.directory / "record.previous.json").read_text() == torn


def test_the_record_of_another_cell_is_not_a_result(tmp_path):
    (one,), (other,) = grid(tmp_path, "adam"), grid(tmp_path, "sgd")
    write(one, record(other))
    assert state(one) is State.NEW


def test_a_failed_cell_is_failed_while_its_claim_is_held(tmp_path):
    (one,) = grid(tmp_path, "sgd")
    Sweep(tmp_path, [one]).run(one_by_one(Trainer(sgd=ValueError("no"))), **QUIET)
    with cell_lock.Claim.acquire(one.directory):
        assert state(one) is State.FAILED


def test_fresh_renames_the_old_results(tmp_path):
    root = tmp_path / "sweep"
    assert set_aside(root) is None
    for place in (1, 2):
        Sweep(root, grid(root, "adam")).run(one_by_one(Trainer()), **QUIET)
        assert set_aside(root) == tmp_path / f"sweep.{place}"
        assert not root.exists()
        assert len(list((tmp_path / f"sweep.{place}").glob("*/record.json"))) == 1


def test_fresh_refuses_a_sweep_in_training(tmp_path):
    (one,) = grid(tmp_path / "sweep", "adam")
    with cell_lock.Claim.acquire(one.directory), pytest.raises(ValueError, match=str(os.getpid())):
        set_aside(tmp_path / "sweep")


def test_a_finished_sweep_does_not_import_torch(tmp_path):
    cells = grid(tmp_path, "adam", "sgd")
    Sweep(tmp_path, cells).run(one_by_one(Trainer()), **QUIET)
    code = """
import sys
from pathlib import Path
from fake_cells import Trainer, cell, one_by_one
from gansweep.results.table import write as write_table
from gansweep.sweep.sweep import Sweep
one = Sweep(Path(sys.argv[1]), [cell(Path(sys.argv[1]), optimizer=name) for name in ("adam", "sgd")])
one.freeze()
assert one.run(one_by_one(Trainer())).exit_code == 0
one.plan(), write_table(one)
assert not {"torch", "hydra", "omegaconf", "pandas"} & set(sys.modules)
"""
    paths = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], check=True, env={**os.environ, "PYTHONPATH": paths}, timeout=60
    )
