"""A sweep: which cells are trained, stored and reported."""

from __future__ import annotations

import csv
import io
import json
import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from fake_cells import Trainer, cell, diverged, one_by_one, record, write

from gansweep.results.table import write as write_table
from gansweep.sweep import cell_lock, process, sweep
from gansweep.sweep.cell import State, state
from gansweep.sweep.progress import Progress
from gansweep.sweep.sweep import Sweep
from gansweep.sweep.sweep_directory import set_aside
from gansweep.training.interruption import Stop, StoppedAtOnce

QUIET = {"progress": Progress(0, io.StringIO()), "wait": False}


def grid(root, *optimizers, **more):
    return [cell(root, optimizer=name, **more) for name in optimizers]


def states(cells):
    return [state(one).value for one in cells]


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


def test_a_failure_of_another_process_in_the_meantime_is_not_retried(tmp_path):
    cells = grid(tmp_path, "adam", "sgd")

    def train(of, stop, progress):
        Sweep(tmp_path, cells[1:]).run(one_by_one(Trainer(sgd=ValueError("no"))), **QUIET)
        return write(of, record(of))

    trained = Trainer()
    outcome = Sweep(tmp_path, cells).run(
        one_by_one(lambda *them: train(*them) if them[0] is not cells[1] else trained(*them)), **QUIET
    )
    assert trained.trained == []
    assert outcome.exit_code == 1


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


def test_of_two_concurrent_grids_the_second_uses_the_names_of_the_first(tmp_path):
    first, second = Sweep(tmp_path, [cell(tmp_path, optimizer="sgd")]), Sweep(tmp_path, grid(tmp_path, "sgd", seed=0))
    assert first.cells[0].directory != second.cells[0].directory
    first.freeze()
    second.freeze()
    assert second.cells[0].directory == first.cells[0].directory
    assert [one.directory for one in Sweep(tmp_path, []).all_cells] == [first.cells[0].directory]


def test_a_sweep_is_frozen_by_one_process_at_a_time(tmp_path):
    other = cell_lock.Claim.acquire(tmp_path)
    freezing = threading.Thread(target=Sweep(tmp_path, grid(tmp_path, "sgd")).freeze, daemon=True)
    freezing.start()
    freezing.join(0.3)
    assert freezing.is_alive()
    assert not (tmp_path / sweep.FROZEN).exists()
    other.release(finished=True)
    freezing.join(30)
    assert (tmp_path / sweep.FROZEN).exists()
    assert list(tmp_path.glob(".*")) == []


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


def test_a_cell_locked_by_another_process_is_skipped(tmp_path):
    cells = grid(tmp_path, "adam", "sgd")
    with cell_lock.Claim.acquire(cells[0].directory):
        trainer = Trainer()
        outcome = Sweep(tmp_path, cells).run(one_by_one(trainer), **QUIET)
        assert states(cells) == ["claimed", "completed"]
        assert outcome.missing == cells[:1]
        assert outcome.exit_code == 1
        assert not outcome.interrupted


def test_a_cell_finished_just_before_it_is_locked_is_not_trained(tmp_path, monkeypatch):
    (one,) = grid(tmp_path, "adam")
    acquire = cell_lock.Claim.acquire

    def late(directory, **about):
        write(one, record(one))
        return acquire(directory, **about)

    monkeypatch.setattr(cell_lock.Claim, "acquire", late)
    trainer = Trainer()
    assert Sweep(tmp_path, [one]).run(one_by_one(trainer), **QUIET).exit_code == 0
    assert trainer.trained == []


def test_cells_of_two_concurrent_grids_are_all_stored(tmp_path):
    first, second = Sweep(tmp_path, grid(tmp_path, "adam")), Sweep(tmp_path, grid(tmp_path, "sgd"))
    first.freeze()
    second.freeze()
    assert len(json.loads((tmp_path / "sweep.json").read_text())["cells"]) == 2


def test_waiting_ends_when_the_other_process_is_done(tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    (one,) = grid(tmp_path, "adam")
    claim = cell_lock.Claim.acquire(one.directory)

    def finish(stop):
        write(one, record(one))
        claim.release(finished=True)

    monkeypatch.setattr(sweep, "_pause", finish)
    trainer = Trainer()
    outcome = Sweep(tmp_path, [one]).run(one_by_one(trainer), progress=Progress(1, io.StringIO()))
    assert trainer.trained == []
    assert outcome.exit_code == 0
    assert "waiting" in caplog.text


def test_nothing_is_written_after_the_claim_is_lost(tmp_path):
    (one,) = grid(tmp_path, "adam")

    def train(of, stop, progress):
        elsewhere = {"host": "another machine", "pid": 1, "started": "0"}
        (of.directory / ".claim.1").write_text(json.dumps(elsewhere))
        until = time.monotonic() + 5
        while time.monotonic() < until:
            progress(1, 100, "")
            time.sleep(0.01)
        raise AssertionError("it went on")

    claims_heartbeat = cell_lock.HEARTBEAT_S
    cell_lock.HEARTBEAT_S = 0.01
    try:
        outcome = Sweep(tmp_path, [one]).run(one_by_one(train), **QUIET)
    finally:
        cell_lock.HEARTBEAT_S = claims_heartbeat
    assert outcome.records == {}
    assert outcome.missing == [one]
    assert state(one) is State.CLAIMED


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


WORKER = """
import os, sys, time
from pathlib import Path
from fake_cells import cell, one_by_one, record, write
from gansweep.results.table import write as write_table
from gansweep.sweep import sweep
root = Path(sys.argv[1])
sweep.WAIT_S = 0.02
cells = [cell(root, optimizer="adam", seed=seed) for seed in range(20)]
def train(of, stop, progress):
    with (root / "trained.log").open("a") as log:
        log.write(f"{of.name} {os.getpid()}\\n")
    time.sleep(0.01)
    if len(sys.argv) > 2 and of.overrides["seed"] == 3:
        (root / "stuck").touch()
        time.sleep(60)
    return write(of, record(of))
one = sweep.Sweep(root, cells)
one.freeze()
code = one.run(one_by_one(train)).exit_code
write_table(one)
sys.exit(code)
"""


def worker(root, *more):
    paths = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    arguments = [sys.executable, "-c", WORKER, str(root), *more]
    return subprocess.Popen(arguments, env={**os.environ, "PYTHONPATH": paths}, stderr=subprocess.DEVNULL)


def test_four_processes_share_a_sweep_and_no_cell_runs_twice(tmp_path):
    workers = [worker(tmp_path) for _ in range(4)]
    assert [one.wait(60) for one in workers] == [0] * 4
    trained = [line.split()[0] for line in (tmp_path / "trained.log").read_text().splitlines()]
    assert len(trained) == len(set(trained)) == 20
    assert len(list(csv.DictReader((tmp_path / "results.csv").read_text().splitlines()))) == 20
    assert not list(tmp_path.glob("*/.claim*"))
    assert not list(tmp_path.glob("*/.draft*"))


def test_the_cell_of_a_killed_process_is_taken_over(tmp_path):
    doomed, survivor = worker(tmp_path, "stick"), None
    until = time.monotonic() + 30
    while not (tmp_path / "stuck").exists() and time.monotonic() < until:
        time.sleep(0.02)
    try:
        survivor = worker(tmp_path)
        doomed.kill()
        assert survivor.wait(60) == 0
    finally:
        doomed.kill()
        doomed.wait()
    trained = [line.split()[0] for line in (tmp_path / "trained.log").read_text().splitlines()]
    assert len(trained) == 21
    assert len(set(trained)) == 20


def test_a_cell_taken_over_and_finished_by_another_process_is_in_the_outcome(tmp_path, monkeypatch):
    """Its process died before the first pass over the cells; another process trains it during that pass."""
    cells = grid(tmp_path, "adam", "sgd")
    died = {cells[1].directory: cell_lock.CrashHistory(1)}
    monkeypatch.setattr(cell_lock, "crash_history", died.get)

    def train_adam_while_sgd_is_trained_elsewhere(run_state, now):
        left = one_by_one(Trainer())(run_state, now)
        write(cells[1], record(cells[1]))
        died.clear()
        return left

    outcome = Sweep(tmp_path, cells).run(train_adam_while_sgd_is_trained_elsewhere, **QUIET | {"wait": True})
    assert outcome.missing == []
    assert outcome.exit_code == 0
