"""Several processes of this machine on one sweep.

Every worker goes through the same cells; claims see to it that none is trained twice. What a
worker has to tell comes through a pipe, a line of JSON at a time, short enough to be whole.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from gansweep.sweep.cell import Cell, State, own_record
from gansweep.sweep.progress import Progress
from gansweep.sweep.stop import Stop
from gansweep.sweep.work import Work

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.2


def possible() -> bool:
    """Tell whether this system can make workers of a process that has begun."""
    return hasattr(os, "fork") and sys.platform != "darwin"  # there, libraries do not survive it


def train(cells: Sequence[Cell], work: Work, settle: Callable[[Work], None], workers: int) -> None:
    """Let `workers` processes settle the cells, and keep in `work` what came of it.

    When one is killed, the others take over what it had claimed.

    Args:
        cells: of the sweep.
        work: what is settled already; it gets all records.
        settle: what a worker does with its own copy of `work`.
        workers: how many processes.
    """
    unsettled = [cell for cell in cells if not work.already_settled(cell)]
    workers = min(workers, len(unsettled))
    if workers < 1:
        return
    sys.stdout.flush()
    sys.stderr.flush()
    reading, writing = os.pipe()
    pids = [_start(work, settle, reading, writing) for _ in range(workers)]
    os.close(writing)
    try:
        _listen(reading, work, pids)
    except BaseException:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        raise
    finally:
        os.close(reading)
        ends = [os.waitpid(pid, 0)[1] for pid in pids]
    killed = sum(os.WIFSIGNALED(end) for end in ends)
    if killed:
        log.warning("%d of %d workers were killed from outside", killed, workers)
    work.outcome.interrupted = work.stop()
    for cell in unsettled:
        found = own_record(cell)
        if found is not None and found != work.to_retry.get(cell.hash):
            work.outcome.records[cell.hash] = found


def _start(work: Work, settle: Callable[[Work], None], reading: int, writing: int) -> int:
    """Make one worker and return its process number. A worker never returns from here."""
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        # A group of its own: Ctrl-C reaches the process that shows the sweep, and that one asks.
        os.setpgid(0, 0)
        os.close(reading)
        # Threads do not come along: whoever counts on those that torch had begun waits for ever.
        torch = sys.modules.get("torch")
        if torch is not None:
            torch.set_num_threads(1)
        with Stop(quiet=True) as asked:

            def stop() -> bool:
                # A signal between fork and here was heard by the copy of what the parent stops by.
                return asked() or work.stop() or os.getppid() != parent

            own = Work(stop, Told(writing))
            own.to_retry, own.outcome.records = work.to_retry, dict(work.outcome.records)
            settle(own)
        code = 0
    except BaseException:
        log.exception("a worker gave up")
    finally:
        logging.shutdown()
        os._exit(code)


class Told(Progress):
    """Sends what a worker does to the process that shows it."""

    def __init__(self, pipe: int) -> None:
        super().__init__(0)
        self.pipe, self._sent = pipe, 0.0

    def skip(self, state: State) -> None:
        """Say nothing: whoever settled that cell has told of it."""

    def step(self, name: str, step: int, total_steps: int, text: str = "") -> None:
        """Tell how far a cell is, several times a second."""
        now = time.monotonic()
        if now - self._sent > LOOK_EVERY_S:
            self._sent = now
            self._tell("step", name, step, total_steps, text)

    def finish(self, name: str, state: State, text: str = "") -> None:
        """Tell that a cell has ended."""
        self._tell("finish", name, state.value, text)

    def _tell(self, *message: Any) -> None:
        with contextlib.suppress(OSError):  # nobody listens any more: the worker is about to stop
            os.write(self.pipe, (json.dumps(message) + "\n").encode())


def _listen(reading: int, work: Work, pids: Sequence[int]) -> None:
    """Show what the workers tell until all have closed the pipe; pass a wish to stop on."""
    rest, asked = b"", False
    while True:
        if work.stop() and not asked:
            asked = True
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGINT)
        ready, _, _ = select.select([reading], [], [], LOOK_EVERY_S)
        if not ready:
            continue
        content = os.read(reading, 1 << 16)
        if not content:
            return
        *lines, rest = (rest + content).split(b"\n")
        for line in lines:
            _show(json.loads(line), work.progress)


def _show(message: list[Any], progress: Progress) -> None:
    kind, *about = message
    if kind == "step":
        progress.step(*about)
    else:
        name, state, text = about
        progress.finish(name, State(state), text)
