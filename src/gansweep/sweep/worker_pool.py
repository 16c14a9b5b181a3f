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
MOST_BLAMELESS = 4  # workers that die between two cells, for whatever reason, and are replaced

Settle = Callable[[Work, Sequence[Cell]], None]


def possible() -> bool:
    """Tell whether this system can make workers of a process that has begun."""
    return hasattr(os, "fork") and sys.platform != "darwin"  # there, libraries do not survive it


def train(cells: Sequence[Cell], work: Work, settle: Settle, workers: int) -> None:
    """Let `workers` processes settle the cells, and keep in `work` what came of it.

    A worker that dies is replaced. A cell in which workers die again and again is recorded as failed.

    Args:
        cells: of the sweep.
        work: what is settled already; it gets all records.
        settle: what a worker does with its own copy of `work` and the cells.
        workers: how many processes.
    """
    unsettled = [cell for cell in cells if not work.already_settled(cell)]
    workers = min(workers, len(unsettled))
    if workers < 1 or work.stop():
        return
    _Crew(unsettled, work, settle).train(workers)
    work.outcome.interrupted = work.stop()
    for cell in unsettled:
        found = own_record(cell)
        if found is not None and found != work.to_retry.get(cell.hash):
            work.outcome.records[cell.hash] = found


@dataclass
class _Worker:
    """A process that trains.

    Args:
        pid: its number.
        pipe: where its messages are read.
        rest: the beginning of a message.
    """

    pid: int
    pipe: int
    rest: bytes = b""


class _Crew:
    """The workers of this process, and what is known of the cells they train."""

    def __init__(self, cells: Sequence[Cell], work: Work, settle: Settle) -> None:
        self.cells, self.work, self.settle = cells, work, settle
        self.me = process.here()
        self.workers: list[_Worker] = []
        self.last_steps: dict[str, str] = {}
        self.blameless = 0

    def train(self, workers: int) -> None:
        """Start workers, replace those that die, and return when all have ended."""
        asked = False
        try:
            self.workers = [_start(self.work, self.settle, self.cells, self.me) for _ in range(workers)]
            while self.workers:
                if self.work.stop() and not asked:
                    asked = True
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
        """Note how a worker ended, and replace it if it died while there is more to train."""
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
        """Note a worker's death at the cells that it was training; one that has killed again, alone, has failed.

        Args:
            held: these cells, and whether the worker trained no other one.
            how: the worker ended.
        """
        names = ", ".join(cell.name for cell, _ in held)
        log.warning("A worker died (%s) %s", how, f"while it trained {names}" if held else "between two cells")
        for cell, alone in held:
            found = own_record(cell)
            if found is not None and State(found["state"]).is_result:
                tidy(cell.directory)
                continue
            claim = cell_lock.Claim.acquire(cell.directory)
            if claim is None or claim.suspicion is None:
                continue
            with claim:
                deaths = (*claim.suspicion.deaths, *([how] if alone else []))
                claim.suspicion = Suspicion(claim.suspicion.limit, deaths)
                if len(deaths) >= MOST_DEATHS:
                    claim.suspicion = Suspicion(1)  # to be tried as often when failed cells are trained again
                    self.work.keep_failure(cell, self._died(cell, deaths), 0.0)

    def _died(self, cell: Cell, deaths: Sequence[str]) -> ProcessDied:
        step = self.last_steps.get(cell.name)
        where = f"last reported step {step}" if step else "no step was reported"
        how = " and ".join(dict.fromkeys(deaths))
        times = "twice" if len(deaths) == MOST_DEATHS else f"{len(deaths)} times"
        return ProcessDied(f"the process that trained it alone died {times} ({how}); {where}")

    def _claims(self, pid: int) -> list[tuple[Cell, bool]]:
        """List the cells that a worker has claimed, and whether it trained that cell alone."""
        owners = [(cell, cell_lock.owner(cell.directory)) for cell in self.cells]
        return [
            (cell, owner.get("together") == 1)
            for cell, owner in owners
            if owner.get("pid") == pid and owner.get("supervisor") == self.me
        ]

    def _release(self, pid: int) -> None:
        """Free what a worker has claimed that was told to end, without suspicion."""
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
        """Show what the workers tell; wait until one does, or has ended, for a fraction of a second at most."""
        ready, _, _ = select.select([worker.pipe for worker in self.workers], [], [], LOOK_EVERY_S)
        for worker in self.workers:
            if worker.pipe in ready:
                self._read(worker)

    def _read(self, worker: _Worker) -> None:
        """Show what a worker has told so far."""
        while True:
            try:
                content = os.read(worker.pipe, 1 << 16)
            except BlockingIOError:
                return
            if not content:  # it has ended, or is about to
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


GAVE_UP = 70  # the exit code of a worker in which something of our own raised, as EX_SOFTWARE


def _start(work: Work, settle: Settle, cells: Sequence[Cell], parent: dict[str, Any]) -> _Worker:
    """Make one worker. A worker never returns from here."""
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
                return asked() or work.stop() or os.getppid() != parent["pid"]

            own = Work(stop, Told(writing), parent)
            own.to_retry, own.outcome.records = work.to_retry, dict(work.outcome.records)
            settle(own, cells)
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
