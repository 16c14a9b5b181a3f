"""Several worker processes on one sweep."""

from __future__ import annotations

import contextlib
import io
import json
import multiprocessing
import os
import signal
import time

import pytest
from fake_cells import one_by_one, record, write
from tests.sweep.pools import PATIENCE_S, cells, run

from gansweep.forking import can_fork
from gansweep.sweep import cell_lock, process, worker
from gansweep.sweep.process import CrashHistory
from gansweep.sweep.progress import Progress
from gansweep.sweep.run_state import RunState
from gansweep.sweep.sweep import Sweep
from gansweep.training.interruption import Stop

pytestmark = pytest.mark.skipif(not can_fork(), reason="processes can't be forked here")


def test_every_cell_is_trained_once_and_both_workers_train(tmp_path):
    those, both = cells(tmp_path, *"abcdef"), multiprocessing.get_context("fork").Barrier(2)
    mine: list[str] = []

    def train(of, stop, progress):
        if not mine:
            both.wait(PATIENCE_S)
        mine.append(of.name)
        with (of.directory / "trained").open("x"):
            return write(of, record(of, device={"pid": os.getpid()}))

    outcome = run(those, train)
    assert outcome.exit_code == 0
    assert outcome.records.keys() == {one.hash for one in those}
    pids = {found["device"]["pid"] for found in outcome.records.values()}
    assert len(pids) == 2
    assert os.getpid() not in pids
    assert mine == []


def test_the_progress_shows_every_finished_cell(tmp_path):
    those, shown = cells(tmp_path, *"abc"), io.StringIO()
    Sweep(tmp_path, those).run(
        one_by_one(lambda of, stop, progress: write(of, record(of))), progress=Progress(3, shown), workers=2
    )
    lines = shown.getvalue().splitlines()
    assert len(lines) == 3
    assert all("completed 50" in line for line in lines)
    assert "3/3 cells" in lines[-1]


def test_a_killed_worker_is_replaced(tmp_path, caplog):
    those = cells(tmp_path, *"abcd")

    def train(of, stop, progress):
        with contextlib.suppress(FileExistsError), (tmp_path / "killed").open("x"):
            os.kill(os.getpid(), signal.SIGKILL)
        return write(of, record(of))

    outcome = run(those, train)
    assert outcome.exit_code == 0
    assert len(outcome.records) == 4
    assert "A worker died (killed by signal 9) while it trained" in caplog.text


ENDS = {
    "killed by signal 9": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "exit code 3": lambda: os._exit(3),
    "exit code 0": lambda: os._exit(0),
}


@pytest.mark.parametrize("how", ENDS)
def test_a_cell_fails_after_the_death_of_two_processes(tmp_path, caplog, how):
    those = cells(tmp_path, *"abcdef")

    def train(of, stop, progress):
        with (tmp_path / "trained").open("a") as file:
            file.write(of.overrides["optimizer"])
        progress(3, 9, "")
        if of.hash == those[0].hash:
            ENDS[how]()
        return write(of, record(of))

    for tries in (1, 2):  # failed cells are retried by the next call
        outcome = run(those, train)
        assert outcome.exit_code == 1
        assert not outcome.missing
        failed = [found for found in outcome.records.values() if found["state"] == "failed"]
        assert [found["cell"]["name"] for found in failed] == [those[0].name]
        assert how in failed[0]["error"]["message"]
        assert "last reported step 3 of 9" in failed[0]["error"]["message"]
        trained = (tmp_path / "trained").read_text()
        assert trained.count("a") == 2 * tries
        assert trained.replace("a", "").count("b") == 1
        assert trained.endswith("a")
    assert f"{those[0].name} failed" in caplog.text
    assert "traceback in" not in caplog.text, "there is no log, and the record of a dead process has no traceback"


def test_all_cells_fail_if_each_ends_its_process(tmp_path):
    outcome = run(cells(tmp_path, *"abc"), lambda *of: os.kill(os.getpid(), signal.SIGKILL))
    assert outcome.exit_code == 1
    assert not outcome.missing
    assert {found["error"]["type"] for found in outcome.records.values()} == {"ProcessDied"}


@pytest.mark.parametrize("error", [KeyboardInterrupt(), GeneratorExit(), BaseException("odd")], ids=repr)
def test_any_exception_of_a_cell_is_recorded_as_its_failure(tmp_path, error):
    those = cells(tmp_path, *"abc")

    def train(of, stop, progress):
        if of.hash == those[1].hash:
            raise error
        return write(of, record(of))

    with Stop(quiet=True) as stop:
        for workers in (1, 2):
            outcome = Sweep(tmp_path, those).run(
                one_by_one(train), stop=stop, progress=Progress(3, io.StringIO()), workers=workers
            )
            states = [outcome.records[one.hash]["state"] for one in those]
            assert states == ["completed", "failed", "completed"]
            assert outcome.exit_code == 1
            assert outcome.records[those[1].hash]["error"]["type"] == type(error).__name__


def test_a_reboot_adds_no_crash(tmp_path):
    (one,) = cells(tmp_path, "a")
    host = str(process.here()["host"]).split()
    if len(host) != 3:
        pytest.skip("the boot id of the machine cannot be read here")
    one.directory.mkdir(parents=True)
    (one.directory / ".claim.0").write_text(
        json.dumps({"host": f"{host[0]} another-boot {host[2]}", "pid": 1, "started": "0", "together": 6})
    )
    assert cell_lock.crash_history(one.directory) is None


def test_the_pack_size_is_halved_after_a_death(tmp_path):
    (one,) = cells(tmp_path, "a")
    one.directory.mkdir(parents=True)
    dead = process.here() | {"pid": 2**22 + 1, "together": 6}
    (one.directory / ".claim.0").write_text(json.dumps(dead))
    assert cell_lock.crash_history(one.directory) == CrashHistory(3)
    work = RunState(lambda: False, Progress(1, io.StringIO()))
    assert work.claim(one, 1) is None, "cells without crashes are trained first"
    work.crashed = True
    assert work.claim(one, 4) is None
    claim = work.claim(one, 3)
    assert claim is not None
    assert cell_lock.crash_history(one.directory) == CrashHistory(3)
    claim.release(finished=True)
    assert cell_lock.crash_history(one.directory) is None


def test_an_error_of_the_executor_ends_the_sweep(tmp_path):
    def broken(work, those):
        raise RuntimeError("internal error")

    outcome = Sweep(tmp_path, cells(tmp_path, *"ab")).run(broken, progress=Progress(2, io.StringIO()), workers=2)
    assert outcome.exit_code == 1
    assert len(outcome.missing) == 2


def test_a_failed_device_stops_all_workers(tmp_path, caplog):
    those, first = cells(tmp_path, *"abcd"), multiprocessing.get_context("fork").Semaphore(1)

    def train_cells(run_state, cells):
        if first.acquire(block=False):
            run_state.outcome.device_failed = True
            return
        end = time.monotonic() + PATIENCE_S
        while not run_state.stop():
            if time.monotonic() > end:
                (tmp_path / "not stopped").touch()
                return
            time.sleep(0.01)

    quiet = Progress(len(those), io.StringIO())
    outcome = Sweep(tmp_path, those).run(train_cells, progress=quiet, workers=2)
    assert outcome.device_failed
    assert outcome.interrupted
    assert outcome.exit_code == 1
    assert outcome.missing == those
    assert not (tmp_path / "not stopped").exists()
    assert not caplog.records, "the worker has reported it"


def test_only_failures_of_earlier_calls_are_retried(tmp_path):
    those = cells(tmp_path, *"ab")

    def train(of, stop, progress):
        if of.overrides["optimizer"] == "a":
            with (tmp_path / "tries").open("a") as file:
                file.write("x")
            raise ValueError("no")
        return write(of, record(of))

    for tries in (1, 2):
        outcome = run(those, train)
        assert outcome.exit_code == 1
        assert outcome.records[those[0].hash]["error"]["message"] == "no"
        assert (tmp_path / "tries").read_text() == "x" * tries


def test_a_stop_request_before_the_worker_installs_its_handlers(tmp_path, monkeypatch):
    class Early(Stop):
        def __init__(self, quiet):
            os.kill(os.getpid(), signal.SIGINT)
            super().__init__(quiet)

    monkeypatch.setattr(worker, "Stop", Early)
    with Stop(quiet=True) as stop:
        outcome = run(cells(tmp_path, *"ab"), lambda of, *more: write(of, record(of)), stop)
    assert not stop()
    assert len(outcome.missing) == 2


def test_a_stop_request_before_the_worker_runs(tmp_path, monkeypatch):
    """After a fork, Python discards signals that have arrived and are not blocked."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    fork = os.fork

    def fork_and_signal():
        if pid := fork():
            os.kill(pid, signal.SIGINT)
        return pid

    def train_cells(run_state, cells):
        end = time.monotonic() + 2
        while not run_state.stop() and time.monotonic() < end:
            time.sleep(0.001)
        if not run_state.stop():
            (tmp_path / "lost").touch()

    monkeypatch.setattr(os, "fork", fork_and_signal)
    with Stop(quiet=True):
        outcome = Sweep(tmp_path, cells(tmp_path, *"ab")).run(
            train_cells, progress=Progress(2, io.StringIO()), workers=64
        )
    assert len(outcome.missing) == 2
    assert not (tmp_path / "lost").exists()
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
