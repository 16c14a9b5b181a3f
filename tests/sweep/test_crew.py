"""Several processes on one sweep: nothing is trained twice, nobody is waited for in vain."""

from __future__ import annotations

import contextlib
import io
import json
import multiprocessing
import os
import select
import signal
import time

import pytest
from fake_cells import cell, record, write

from gansweep.sweep import crew
from gansweep.sweep.one_by_one import one_by_one
from gansweep.sweep.progress import Progress
from gansweep.sweep.stop import Stop
from gansweep.sweep.sweep import Sweep
from gansweep.training.session import Interrupted

pytestmark = pytest.mark.skipif(not crew.possible(), reason="processes can't be forked here")
PATIENCE_S = 60


def cells(root, *optimizers):
    return [cell(root, optimizer=name) for name in optimizers]


def run(those, train, stop=lambda: False):
    quiet = Progress(len(those), io.StringIO())
    return Sweep(those[0].directory.parent, those).run(one_by_one(train), stop=stop, progress=quiet, workers=2)


def test_every_cell_is_trained_once_and_by_both_workers(tmp_path):
    those, both = cells(tmp_path, *"abcdef"), multiprocessing.get_context("fork").Barrier(2)
    mine: list[str] = []

    def train(of, stop, progress):
        if not mine:
            both.wait(PATIENCE_S)
        mine.append(of.name)
        with (of.directory / "trained").open("x"):
            return write(of, record(of, device={"pid": os.getpid()}))

    outcome = run(those, train)
    assert outcome.exit_code == 0 and outcome.records.keys() == {one.hash for one in those}
    pids = {found["device"]["pid"] for found in outcome.records.values()}
    assert len(pids) == 2 and os.getpid() not in pids
    assert mine == []


def test_the_one_who_waits_sees_every_cell_finish(tmp_path):
    those, shown = cells(tmp_path, *"abc"), io.StringIO()
    Sweep(tmp_path, those).run(
        one_by_one(lambda of, stop, progress: write(of, record(of))), progress=Progress(3, shown), workers=2
    )
    lines = shown.getvalue().splitlines()
    assert len(lines) == 3 and all("completed 50" in line for line in lines) and "3/3 cells" in lines[-1]


def test_a_killed_worker_is_replaced_by_the_others(tmp_path, caplog):
    those = cells(tmp_path, *"abcd")

    def train(of, stop, progress):
        with contextlib.suppress(FileExistsError), (tmp_path / "killed").open("x"):
            os.kill(os.getpid(), signal.SIGKILL)
        return write(of, record(of))

    outcome = run(those, train)
    assert outcome.exit_code == 0 and len(outcome.records) == 4
    assert "1 of 2 workers were killed" in caplog.text


def test_when_all_are_killed_the_sweep_is_unfinished(tmp_path):
    outcome = run(cells(tmp_path, *"ab"), lambda *of: os.kill(os.getpid(), signal.SIGKILL))
    assert outcome.exit_code == 1 and len(outcome.missing) == 2


def test_an_error_in_the_sweep_itself_ends_it(tmp_path):
    def broken(work, those):
        raise RuntimeError("a mistake of ours")

    outcome = Sweep(tmp_path, cells(tmp_path, *"ab")).run(broken, progress=Progress(2, io.StringIO()), workers=2)
    assert outcome.exit_code == 1 and len(outcome.missing) == 2


def test_a_failure_is_recorded_and_retried_only_if_it_is_older(tmp_path):
    those = cells(tmp_path, *"ab")

    def train(of, stop, progress):
        if of.overrides["optimizer"] == "a":
            with (tmp_path / "tries").open("a") as file:
                file.write("x")
            raise ValueError("no")
        return write(of, record(of))

    for tries in (1, 2):
        outcome = run(those, train)
        assert outcome.exit_code == 1 and outcome.records[those[0].hash]["error"]["message"] == "no"
        assert (tmp_path / "tries").read_text() == "x" * tries


def test_a_wish_to_stop_that_comes_before_a_worker_can_hear_is_heard(tmp_path, monkeypatch):
    """Between the fork and the worker's own handlers a signal reaches the copy of the parent's."""

    class Early(Stop):
        def __init__(self, quiet):
            os.kill(os.getpid(), signal.SIGINT)
            super().__init__(quiet)

    monkeypatch.setattr(crew, "Stop", Early)
    with Stop(quiet=True) as stop:
        outcome = run(cells(tmp_path, *"ab"), lambda of, *more: write(of, record(of)), stop)
    assert not stop() and len(outcome.missing) == 2


class Parent:
    """A process of its own with two workers that train until they are asked to stop.

    All of them hold the writing end of a pipe, so that its end tells of the last of them.
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
            assert self._heard() == b"."

    @staticmethod
    def _train(writing, of, stop, progress):
        os.write(writing, b".")
        while not stop():
            progress(1, 2, "")
            time.sleep(0.001)
        (of.directory / "saved").touch()
        raise Interrupted(1)

    def _heard(self) -> bytes:
        ready, _, _ = select.select([self.reading], [], [], PATIENCE_S)
        assert ready, "nobody says anything"
        return os.read(self.reading, 1)

    def end(self, number: signal.Signals) -> int:
        """Send a signal and wait for all; return how the parent ended, as `os.waitpid` has it."""
        os.kill(self.pid, number)
        end = os.waitpid(self.pid, 0)[1]
        assert self._heard() == b""
        os.close(self.reading)
        return end


def test_workers_whose_parent_was_killed_save_and_end(tmp_path):
    those = cells(tmp_path, *"ab")
    assert os.WIFSIGNALED(Parent(those).end(signal.SIGKILL))
    assert all((one.directory / "saved").exists() for one in those)


def test_ctrl_c_reaches_the_workers_through_their_parent(tmp_path):
    those = cells(tmp_path, *"abc")
    assert os.waitstatus_to_exitcode(Parent(those).end(signal.SIGINT)) == 130
    assert [(one.directory / "saved").exists() for one in those] == [True, True, False]
    claims = [json.loads(path.read_text()) for one in those[:2] for path in one.directory.glob(".claim.*")]
    assert claims == [{"released": True}] * 2
