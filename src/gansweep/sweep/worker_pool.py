"""Pool of forked worker processes on one machine that train one sweep.

All workers iterate over the same cells; claims prevent that a cell is trained twice. Workers send progress messages
through pipes, one line of JSON each, short enough to be written atomically.
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
from dataclasses import dataclass
from typing import Any

from gansweep.sweep import cell_lock, process
from gansweep.sweep.cell import Cell, State, own_record
from gansweep.sweep.progress import Progress
from gansweep.sweep.run_state import Work, tidy
from gansweep.sweep.stop import Stop
from gansweep.sweep.suspicion import MOST_DEATHS, ProcessDied, Suspicion

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.2
MOST_BLAMELESS = 4  # number of workers that die between two cells and are replaced

Settle = Callable[[Work, Sequence[Cell]], None]


def possible() -> bool:
    """Return True if worker processes can be forked on this system."""
    return hasattr(os, "fork") and sys.platform != "darwin"  # system libraries of macOS are not fork-safe


def train(cells: Sequence[Cell], work: Work, settle: Settle, workers: int) -> None:
    """Train the cells in `workers` processes, and store their records in `work`.

    A worker that dies is replaced. A cell in which workers die repeatedly is recorded as failed.

    Args:
        cells: cells of the sweep.
        work: state of the sweep; receives all records.
        settle: called in each worker with its own copy of `work` and the cells.
        workers: number of processes.
    """
    unsettled = [cell for cell in cells if not work.already_settled(cell)]
    workers = min(workers, len(unsettled))
    if workers < 1 or work.stop():
        return
    _Crew(unsettled, work, settle).train(workers)
    work.outcome.interrupted = work.stop()
    for cell in unsettled:
        record = own_record(cell)
        if record is not None and record != work.to_retry.get(cell.hash):
            work.outcome.records[cell.hash] = record


@dataclass
class _Worker:
    """A worker process.

    Args:
        pid: process id.
        pipe: file descriptor for reading its messages.
        rest: received part of an incomplete message.
    """

    pid: int
    pipe: int
    rest: bytes = b""


class _Crew:
    """The workers of this process, and the last reported steps of their cells."""

    def __init__(self, cells: Sequence[Cell], work: Work, settle: Settle) -> None:
        self.cells, self.work, self.settle = cells, work, settle
        self.me = process.here()
        self.workers: list[_Worker] = []
        self.last_steps: dict[str, str] = {}
        self.blameless = 0

    def train(self, workers: int) -> None:
        """Start workers, replace those that die, and return when all have ended."""
        stop_sent = False
        try:
            self.workers = [_start(self.work, self.settle, self.cells, self.me) for _ in range(workers)]
            while self.workers:
                if self.work.stop() and not stop_sent:
                    stop_sent = True
                    self._signal(signal.SIGINT)
                self._listen()
                for worker in self.workers:
                    ended, status = os.waitpid(worker.pid, os.WNOHANG)
                    if ended:
                        self._bury(worker, os.waitstatus_to_exitcode(status))
        except BaseException:
            self._signal(signal.SIGKILL)
            for worker in self.workers:
                os.waitpid(worker.pid, 0)
                self._release(worker.pid)
                os.close(worker.pipe)
            raise

    def _bury(self, worker: _Worker, code: int) -> None:
        """Handle the end of a worker, and replace it if it died and cells are left."""
        self._read(worker)
        os.close(worker.pipe)
        self.workers = [other for other in self.workers if other is not worker]
        held = self._claims(worker.pid)
        if self.work.stop():
            self._release(worker.pid)
        if self.work.stop() or not (code or held):
            return
        how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        self._blame(held, how)
        self.blameless += not held
        if held or (code != GAVE_UP and self.blameless <= MOST_BLAMELESS):
            self.workers.append(_start(self.work, self.settle, self.cells, self.me))

    def _blame(self, held: Sequence[tuple[Cell, bool]], how: str) -> None:
        """Add a suspicion to the cells that a dead worker was training; mark a cell with repeated deaths as failed.

        Only deaths of workers that trained a single cell are counted.

        Args:
            held: the cells, each with True if the worker trained only this cell.
            how: description of how the worker ended.
        """
        names = ", ".join(cell.name for cell, _ in held)
        log.warning("A worker died (%s) %s", how, f"while it trained {names}" if held else "between two cells")
        for cell, alone in held:
            record = own_record(cell)
            if record is not None and State(record["state"]).is_result:
                tidy(cell.directory)
                continue
            claim = cell_lock.Claim.acquire(cell.directory)
            if claim is None or claim.suspicion is None:
                continue
            with claim:
                deaths = (*claim.suspicion.deaths, *([how] if alone else []))
                claim.suspicion = Suspicion(claim.suspicion.limit, deaths)
                if len(deaths) >= MOST_DEATHS:
                    claim.suspicion = Suspicion(1)  # reset the deaths for a later retry of failed cells
                    self.work.keep_failure(cell, self._died(cell, deaths), 0.0)

    def _died(self, cell: Cell, deaths: Sequence[str]) -> ProcessDied:
        step = self.last_steps.get(cell.name)
        where = f"last reported step {step}" if step else "no step was reported"
        how = " and ".join(dict.fromkeys(deaths))
        times = "twice" if len(deaths) == MOST_DEATHS else f"{len(deaths)} times"
        return ProcessDied(f"the process that trained it alone died {times} ({how}); {where}")

    def _claims(self, pid: int) -> list[tuple[Cell, bool]]:
        """Return the cells that a worker has locked, each with True if it trained only this cell."""
        owners = [(cell, cell_lock.owner(cell.directory)) for cell in self.cells]
        return [
            (cell, owner.get("together") == 1)
            for cell, owner in owners
            if owner.get("pid") == pid and owner.get("supervisor") == self.me
        ]

    def _release(self, pid: int) -> None:
        """Release the claims of a worker that was asked to stop, without adding a suspicion."""
        for cell, _ in self._claims(pid):
            noted = Suspicion.noted(cell_lock.owner(cell.directory))
            claim = cell_lock.Claim.acquire(cell.directory)
            if claim is not None:
                claim.suspicion = noted
                claim.release()

    def _signal(self, number: signal.Signals) -> None:
        for worker in self.workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker.pid, number)

    def _listen(self) -> None:
        """Wait up to LOOK_EVERY_S for messages or the end of a worker, and show the messages."""
        ready, _, _ = select.select([worker.pipe for worker in self.workers], [], [], LOOK_EVERY_S)
        for worker in self.workers:
            if worker.pipe in ready:
                self._read(worker)

    def _read(self, worker: _Worker) -> None:
        """Read and show the available messages of a worker."""
        while True:
            try:
                content = os.read(worker.pipe, 1 << 16)
            except BlockingIOError:
                return
            if not content:  # end of file: the worker has ended or is ending
                time.sleep(0.001)
                return
            *lines, worker.rest = (worker.rest + content).split(b"\n")
            for line in lines:
                self._show(json.loads(line))

    def _show(self, message: list[Any]) -> None:
        kind, *about = message
        if kind == "step":
            name, step, total_steps, _ = about
            self.last_steps[name] = f"{step} of {total_steps}"
            self.work.progress.step(*about)
        else:
            name, state, text = about
            self.work.progress.finish(name, State(state), text)


GAVE_UP = 70  # exit code of a worker after an internal error, as EX_SOFTWARE


def _start(work: Work, settle: Settle, cells: Sequence[Cell], parent: dict[str, Any]) -> _Worker:
    """Fork one worker. The function does not return in the worker."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        os.set_blocking(reading, False)
        return _Worker(pid, reading)
    code = GAVE_UP
    try:
        # Separate process group: Ctrl-C reaches only the parent, which then sends SIGINT to the workers.
        os.setpgid(0, 0)
        os.close(reading)
        # Threads are not inherited by a fork: torch would wait forever for its thread pool.
        torch = sys.modules.get("torch")
        if torch is not None:
            torch.set_num_threads(1)
        with Stop(quiet=True) as requested:

            def stop() -> bool:
                # A signal between the fork and this line was handled by the inherited stop flag of the parent.
                return requested() or work.stop() or os.getppid() != parent["pid"]

            worker_state = Work(stop, Told(writing), parent)
            worker_state.to_retry, worker_state.outcome.records = work.to_retry, dict(work.outcome.records)
            settle(worker_state, cells)
        code = 0
    except BaseException:
        log.exception("a worker gave up")
    finally:
        logging.shutdown()
        os._exit(code)


class Told(Progress):
    """Progress that sends messages of a worker to its parent process, which displays them."""

    def __init__(self, pipe: int) -> None:
        super().__init__(0)
        self.pipe, self._sent = pipe, 0.0

    def skip(self, state: State) -> None:
        """Do nothing: the process that finished the cell has reported it."""

    def step(self, name: str, step: int, total_steps: int, text: str = "") -> None:
        """Send the current step of a cell, at most once per LOOK_EVERY_S."""
        now = time.monotonic()
        if now - self._sent > LOOK_EVERY_S:
            self._sent = now
            self._send("step", name, step, total_steps, text)

    def finish(self, name: str, state: State, text: str = "") -> None:
        """Send the state of a finished cell."""
        self._send("finish", name, state.value, text)

    def _send(self, *message: Any) -> None:
        with contextlib.suppress(OSError):  # the parent has closed the pipe: the worker will stop
            os.write(self.pipe, (json.dumps(message) + "\n").encode())
