"""A sweep that several processes train."""

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

from fake_cells import Trainer, cell, one_by_one, record, write
from tests.sweep.grids import QUIET, grid, states

from gansweep.sweep import cell_lock, sweep
from gansweep.sweep.cell import State, state
from gansweep.sweep.progress import Progress
from gansweep.sweep.sweep import Sweep


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
