"""Several worker processes on one sweep."""

from __future__ import annotations

import contextlib
import io
import json
import multiprocessing
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fake_cells import cell, one_by_one, record, write

from gansweep.sweep import cell_lock, process, worker
from gansweep.sweep.process import CrashHistory
from gansweep.sweep.progress import Progress
from gansweep.sweep.run_state import RunState
from gansweep.sweep.sweep import Sweep
from gansweep.training.interruption import Interrupted, Stop

pytestmark = pytest.mark.skipif(not worker.can_fork(), reason="processes can't be forked here")
PATIENCE_S = 60


def cells(root, *optimizers):
    return [cell(root, optimizer=name) for name in optimizers]


def run(those, train, stop=lambda: False):
    quiet = Progress(len(those), io.StringIO())
    return Sweep(those[0].directory.parent, those).run(one_by_one(train), stop=stop, progress=quiet, workers=2)


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


def test_cells_are_trained_after_their_sweep_was_killed_several_times(tmp_path):
    those = cells(tmp_path, *"ab")
    for _ in range(4):
        assert os.WIFSIGNALED(Parent(those).end(signal.SIGKILL))
    assert run(those, lambda of, *more: write(of, record(of))).exit_code == 0


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
            assert time.monotonic() < end, "the other worker is asked to stop"
            time.sleep(0.01)

    quiet = Progress(len(those), io.StringIO())
    outcome = Sweep(tmp_path, those).run(train_cells, progress=quiet, workers=2)
    assert outcome.device_failed
    assert outcome.interrupted
    assert outcome.exit_code == 1
    assert outcome.missing == those
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
    """A signal between the fork and the installation of the worker's handlers reaches the parent's handlers."""

    class Early(Stop):
        def __init__(self, quiet):
            os.kill(os.getpid(), signal.SIGINT)
            super().__init__(quiet)

    monkeypatch.setattr(worker, "Stop", Early)
    with Stop(quiet=True) as stop:
        outcome = run(cells(tmp_path, *"ab"), lambda of, *more: write(of, record(of)), stop)
    assert not stop()
    assert len(outcome.missing) == 2


class Parent:
    """Process with two workers that train until a stop is requested.

    All hold the writing end of a pipe, so the end of the pipe is the end of the last process.
    """

    def __init__(self, those) -> None:
        self.reading, writing = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            try:
                os.close(self.reading)
                with Stop(quiet=True) as stop:
                    code = run(those, lambda *them: self._train(writing, *them), stop).exit_code
            finally:
                os._exit(code)
        os.close(writing)
        for _ in range(2):
            assert self._read() == b"."

    @staticmethod
    def _train(writing, of, stop, progress):
        os.write(writing, b".")
        while not stop():
            progress(1, 2, "")
            time.sleep(0.001)
        (of.directory / "saved").touch()
        raise Interrupted(1)

    def _read(self) -> bytes:
        ready, _, _ = select.select([self.reading], [], [], PATIENCE_S)
        assert ready, "no message within the time limit"
        return os.read(self.reading, 1)

    def end(self, number: signal.Signals) -> int:
        """Send a signal and wait for all processes; return the status of the parent as `os.waitpid` does."""
        os.kill(self.pid, number)
        end = os.waitpid(self.pid, 0)[1]
        assert self._read() == b""
        os.close(self.reading)
        return end


def test_workers_save_and_end_when_their_parent_is_killed(tmp_path):
    those = cells(tmp_path, *"ab")
    assert os.WIFSIGNALED(Parent(those).end(signal.SIGKILL))
    assert all((one.directory / "saved").exists() for one in those)


def test_ctrl_c_reaches_the_workers_through_their_parent(tmp_path):
    those = cells(tmp_path, *"abc")
    assert os.waitstatus_to_exitcode(Parent(those).end(signal.SIGINT)) == 130
    assert [(one.directory / "saved").exists() for one in those] == [True, True, False]
    released = [json.loads(path.read_text()) for one in those[:2] for path in one.directory.glob(".claim.*")]
    assert released == [{"released": True}] * 2


# Two threads of the parent have been used before the workers are forked.
SWEEP = """
import io, sys
from pathlib import Path
import torch
from fake_cells import cell, one_by_one, record, write
from gansweep.sweep.progress import Progress
from gansweep.sweep.sweep import Sweep

def work():
    x = torch.linspace(0, 1, 1 << 20)
    return float((x.sin() + (x.view(1024, 1024) @ x.view(1024, 1024))[0, 0]).sum())

torch.set_num_threads(2)
work()
root = Path(sys.argv[1])
cells = [cell(root, optimizer=name) for name in "ab"]

def train(of, stop, progress):
    work()
    return write(of, record(of, device={"threads": torch.get_num_threads()}))

outcome = Sweep(root, cells).run(one_by_one(train), progress=Progress(2, io.StringIO()), workers=2)
print(outcome.exit_code, [found["device"]["threads"] for found in outcome.records.values()], torch.get_num_threads())
"""


def test_workers_do_not_wait_for_threads_of_the_parent(tmp_path):
    paths = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    child = subprocess.Popen(
        [sys.executable, "-c", SWEEP, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        out, _ = child.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        child.kill()
        for claim in tmp_path.glob("*/.claim.*"):  # the workers wait forever
            os.kill(json.loads(claim.read_text())["pid"], signal.SIGKILL)
        child.wait()
        pytest.fail("the workers did not end")
    assert out == "0 [1, 1] 2\n"
