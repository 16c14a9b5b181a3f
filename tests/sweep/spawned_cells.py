"""Training of fake cells in spawned workers, which import their functions by name."""

from __future__ import annotations

import os
import signal
import time

from fake_cells import one_by_one, record, write

from gansweep.training.interruption import Interrupted

PATIENCE_S = 60


def prepare() -> None:
    """Called first by each worker; `record_gpu` shows that it was."""
    os.environ["PREPARED"] = "1"


def _wait_for(folder, count) -> None:
    """Wait until as many workers have come here."""
    (folder / f"here.{os.getpid()}").touch()
    end = time.monotonic() + PATIENCE_S
    while len(list(folder.glob("here.*"))) < count and time.monotonic() < end:
        time.sleep(0.01)


def _record_gpu(of, stop, progress):
    _wait_for(of.directory.parent, 2)
    progress(1, 9, "")
    return write(of, record(of, device={name: os.environ.get(name) for name in ("GPU", "PREPARED")}))


def _kill_first(of, stop, progress):
    folder = of.directory.parent
    _wait_for(folder, 2)
    if os.environ["GPU"] == "b" and not (folder / "killed").exists():
        (folder / "killed").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    _wait_for(folder, 3)  # for the replacement
    return _record_gpu(of, stop, progress)


def _until_stopped(of, stop, progress):
    _wait_for(of.directory.parent, 2)
    end = time.monotonic() + PATIENCE_S
    while not stop() and time.monotonic() < end:
        progress(1, 2, "")
        time.sleep(0.01)
    (of.directory / "saved").touch()
    raise Interrupted(1)


def record_gpu(run_state, cells):
    return one_by_one(_record_gpu)(run_state, cells)


def kill_first(run_state, cells):
    return one_by_one(_kill_first)(run_state, cells)


def until_stopped(run_state, cells):
    return one_by_one(_until_stopped)(run_state, cells)
