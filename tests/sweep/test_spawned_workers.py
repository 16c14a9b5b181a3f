"""Workers that are new processes, one for each GPU, on fake cells."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from fake_cells import cell
from spawned_cells import PATIENCE_S, kill_first, prepare, record_gpu, until_stopped

from gansweep.sweep import worker, worker_pool
from gansweep.sweep.progress import Progress
from gansweep.sweep.sweep import Sweep
from gansweep.training.interruption import Stop

pytestmark = pytest.mark.skipif(not worker.can_spawn(), reason="processes can't be spawned here")


def run(root, train, stop=lambda: False, shown=None, prepare=prepare):
    cells = [cell(root, optimizer=name) for name in "abcd"]
    start = worker.Spawn([{"GPU": "a"}, {"GPU": "b"}], prepare)
    progress = Progress(len(cells), shown or io.StringIO())
    return Sweep(root, cells).run(train, stop=stop, progress=progress, workers=2, start=start)


def gpus(outcome):
    return {found["device"]["GPU"] for found in outcome.records.values()}


def test_each_worker_has_its_own_environment(tmp_path):
    shown = io.StringIO()
    outcome = run(tmp_path, record_gpu, shown=shown)
    assert outcome.exit_code == 0
    assert len(outcome.records) == 4
    assert gpus(outcome) == {"a", "b"}
    assert {found["device"]["PREPARED"] for found in outcome.records.values()} == {"1"}
    assert "GPU" not in os.environ
    assert "4/4 cells" in shown.getvalue().splitlines()[-1]


def test_a_killed_worker_is_replaced_by_one_with_its_environment(tmp_path, caplog):
    outcome = run(tmp_path, kill_first)
    assert outcome.exit_code == 0
    assert len(outcome.records) == 4
    assert len(list(tmp_path.glob("here.*"))) >= 3
    assert gpus(outcome) == {"a", "b"}
    assert "A worker died (killed by signal 9) while it trained" in caplog.text


def test_a_stop_reaches_every_worker(tmp_path):
    def press_when_both_train():
        end = time.monotonic() + PATIENCE_S
        while len(list(tmp_path.glob("here.*"))) < 2 and time.monotonic() < end:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    with Stop(quiet=True) as stop:
        presser = threading.Thread(target=press_when_both_train)
        presser.start()
        outcome = run(tmp_path, until_stopped, stop)
        presser.join()
    assert outcome.exit_code == 130
    assert len(list(tmp_path.glob("*/saved"))) == 2


def test_a_stop_request_while_a_worker_starts(tmp_path, monkeypatch):
    """By default, SIGINT ends a process that starts, or raises KeyboardInterrupt in the middle of an import."""
    stop, spawn, end, codes = Stop(), worker.Spawn.__call__, worker_pool._Pool._handle_end, []

    def spawn_and_press(self, number, work):
        started = spawn(self, number, work)
        os.kill(started.pid, signal.SIGINT)
        stop.request()
        return started

    def note_code(self, ended, code):
        codes.append(code)
        end(self, ended, code)

    monkeypatch.setattr(worker.Spawn, "__call__", spawn_and_press)
    monkeypatch.setattr(worker_pool._Pool, "_handle_end", note_code)
    assert run(tmp_path, until_stopped, stop).exit_code == 130
    assert codes == [0, 0]


def test_an_error_before_the_training_ends_the_sweep(tmp_path):
    outcome = run(tmp_path, record_gpu, prepare=sys.exit)
    assert outcome.exit_code == 1
    assert len(outcome.missing) == 4
    assert not list(Path(tmp_path).glob("here.*"))
