"""One worker process of a pool: how it is started, and how it reports its progress.

On a CPU a worker is a fork of the main process. CUDA can't be used in a fork, so that a worker for a GPU is a new
process, which receives its work as a pickle.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import pickle
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from gansweep.sweep.cell import Cell, State
from gansweep.sweep.progress import Progress
from gansweep.sweep.run_state import RunState
from gansweep.training.interruption import Stop

log = logging.getLogger(__name__)

POLL_S = 0.2
INTERNAL_ERROR = 70  # exit code of a worker after an internal error, as EX_SOFTWARE

TrainCells = Callable[[RunState, Sequence[Cell]], None]


class Work(NamedTuple):
    """What a worker needs of the main process.

    Args:
        train_cells: trains the cells, and reports to its `RunState`.
        cells: cells of the sweep.
        to_retry: failed records of cells to train again, by hash.
        records: other records, by hash.
        parent: `process.here()` of the main process.
    """

    train_cells: TrainCells
    cells: Sequence[Cell]
    to_retry: dict[str, dict[str, Any]]
    records: dict[str, dict[str, Any]]
    parent: dict[str, Any]

    def __call__(self, pipe: int, stop: Callable[[], bool]) -> None:
        """Train the cells in this process, which is a worker.

        Args:
            pipe: file descriptor for messages to the main process.
            stop: returns True if this process was asked to stop.
        """
        progress = PipeProgress(pipe)
        run_state = RunState(lambda: stop() or os.getppid() != self.parent["pid"], progress, self.parent)
        run_state.to_retry, run_state.outcome.records = self.to_retry, dict(self.records)
        self.train_cells(run_state, self.cells)
        if run_state.outcome.device_failed:
            progress.report_device_failure()


@dataclass
class Worker:
    """A worker process."""

    pid: int
    pipe: int
    number: int
    rest: bytes = b""


# Starts the worker with a number.
Start = Callable[[int, Work], Worker]
STOP_SIGNALS = {signal.SIGINT, signal.SIGTERM}


def fork(number: int, work: Work) -> Worker:
    """Fork one worker. The function does not return in the worker.

    SIGINT and SIGTERM are blocked until the worker has installed its handlers: after a fork, Python discards
    signals that the new process has received but not yet handled.
    """
    for stream in filter(None, (sys.stdout, sys.stderr)):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    reading, writing = os.pipe()
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    pid = -1
    try:
        pid = os.fork()
    finally:
        if pid:  # the main process
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    if pid:
        os.close(writing)
        os.set_blocking(reading, False)
        return Worker(pid, reading, number)
    code = INTERNAL_ERROR
    try:
        # Separate process group: Ctrl-C reaches only the parent, which then sends SIGINT to the workers.
        os.setpgid(0, 0)
        os.close(reading)
        # Threads are not inherited by a fork: torch would wait forever for its thread pool.
        torch = sys.modules.get("torch")
        if torch is not None:
            torch.set_num_threads(1)
        with Stop(quiet=True) as requested:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
            work(writing, requested)
        code = 0
    except BaseException:
        log.exception("a worker failed")
    finally:
        logging.shutdown()
        os._exit(code)


def can_spawn() -> bool:
    """Return True if worker processes can be spawned on this system; all but Windows."""
    return hasattr(os, "posix_spawn")


MAIN = "import sys; sys.path[:] = sys.argv[3:]; from gansweep.sweep import worker; worker.main(*sys.argv[1:3])"


@dataclass(frozen=True)
class Spawn:
    """Start workers as new processes.

    Args:
        environments: environment variables of each worker, added to those of this process.
        prepare: picklable function that each worker calls first, for example to configure its log.
    """

    environments: Sequence[Mapping[str, str]]
    prepare: Callable[[], None]

    def __call__(self, number: int, work: Work) -> Worker:
        """Start the worker with a number, and send it its work. As in `fork`, signals wait for its handlers."""
        reading, writing = os.pipe()
        with tempfile.TemporaryFile() as file, os.fdopen(writing, "wb"):
            pickle.dump((self.prepare, work), file)
            file.seek(0)
            inherited = file.fileno(), writing
            for descriptor in inherited:
                os.set_inheritable(descriptor, True)
            pid = os.posix_spawn(
                sys.executable,
                [sys.executable, "-c", MAIN, *map(str, inherited), *sys.path],
                os.environ | self.environments[number],
                setpgroup=0,  # as for a fork
                setsigmask=STOP_SIGNALS,
            )
        os.set_blocking(reading, False)
        return Worker(pid, reading, number)


def main(work_file: str, pipe: str) -> None:
    """Train in a spawned process. The function does not return."""
    code = INTERNAL_ERROR
    try:
        with Stop(quiet=True) as requested:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
            os.set_inheritable(int(pipe), False)
            with os.fdopen(int(work_file), "rb") as file:
                prepare, work = pickle.load(file)
            prepare()
            work(int(pipe), requested)
        code = 0
    except BaseException:
        log.exception("a worker failed")
    finally:
        logging.shutdown()
        os._exit(code)


class PipeProgress(Progress):
    """Progress that sends messages of a worker to its parent process, which displays them."""

    def __init__(self, pipe: int) -> None:
        super().__init__(0)
        self.pipe = pipe
        self._sent: dict[str, float] = {}  # time of the last message by cell

    def skip(self, state: State) -> None:
        """Do nothing: the process that finished the cell has reported it."""

    def step(self, name: str, step: int, total_steps: int, text: str = "") -> None:
        """Send the current step of a cell, at most once per POLL_S."""
        now = time.monotonic()
        if now - self._sent.get(name, 0.0) > POLL_S:
            self._sent[name] = now
            self._send("step", name, step, total_steps, text)

    def finish(self, name: str, state: State, text: str = "") -> None:
        """Send the state of a finished cell."""
        self._sent.pop(name, None)
        self._send("finish", name, state.value, text)

    def report_device_failure(self) -> None:
        """Send that the device of this worker has failed, which stops the sweep."""
        self._send("device failed")

    def _send(self, *message: Any) -> None:
        with contextlib.suppress(OSError):  # the parent has closed the pipe: the worker will stop
            os.write(self.pipe, (json.dumps(message) + "\n").encode())
