"""Pool of worker processes on one machine that train one sweep.

All workers iterate over the same cells; claims prevent that a cell is trained twice. Workers send progress messages
through pipes, one line of JSON each, short enough to be written atomically.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import selectors
import signal
import time
from collections.abc import Sequence
from typing import Any

from gansweep.sweep import cell_lock, process
from gansweep.sweep.cell import Cell, State, own_record
from gansweep.sweep.process import MAX_DEATHS, CrashHistory, ProcessDied
from gansweep.sweep.run_state import RunState, clean_up
from gansweep.sweep.worker import INTERNAL_ERROR, POLL_S, Start, TrainCells, Work, Worker, fork

log = logging.getLogger(__name__)

MAX_DEATHS_BETWEEN_CELLS = 4  # number of workers that die between two cells and are replaced


def train(
    cells: Sequence[Cell], run_state: RunState, train_cells: TrainCells, workers: int, start: Start = fork
) -> None:
    """Train the cells in `workers` processes, and store their records in `run_state`.

    A worker that dies is replaced. A cell in which workers die repeatedly is recorded as failed.
    """
    unfinished = [cell for cell in cells if not run_state.is_done(cell)]
    workers = min(workers, len(unfinished))
    if workers < 1 or run_state.stop():
        return
    pool = _Pool(unfinished, run_state, train_cells, start)
    pool.train(workers)
    run_state.outcome.interrupted = pool.stops()
    for cell in unfinished:
        record = own_record(cell)
        if record is not None and record != run_state.to_retry.get(cell.hash):
            run_state.outcome.records[cell.hash] = record


class _Pool:
    """The workers of this process, and the last reported steps of their cells."""

    def __init__(self, cells: Sequence[Cell], run_state: RunState, train_cells: TrainCells, start: Start) -> None:
        self.cells, self.run_state, self.train_cells, self.start = cells, run_state, train_cells, start
        self.me = process.here()
        self.workers: list[Worker] = []
        self.last_steps: dict[str, str] = {}
        self.deaths_between_cells = 0

    def stops(self) -> bool:
        """Return True if a stop was requested or the device of a worker failed."""
        return self.run_state.stop() or self.run_state.outcome.device_failed

    def train(self, workers: int) -> None:
        """Start workers, replace those that die, and return when all have ended."""
        stop_sent = False
        try:
            for number in range(workers):
                self._start(number)
            while self.workers:
                if self.stops() and not stop_sent:
                    stop_sent = True
                    self._signal(signal.SIGINT)
                self._wait_for_messages()
                for worker in self.workers:
                    ended, status = os.waitpid(worker.pid, os.WNOHANG)
                    if ended:
                        self._handle_end(worker, os.waitstatus_to_exitcode(status))
        except BaseException:
            self._signal(signal.SIGKILL)
            for worker in self.workers:
                os.waitpid(worker.pid, 0)
                self._release(worker.pid)
                os.close(worker.pipe)
            raise

    def _start(self, number: int) -> None:
        """Start the worker with a number."""
        work = Work(self.train_cells, self.cells, self.run_state.to_retry, self.run_state.outcome.records, self.me)
        self.workers.append(self.start(number, work))

    def _handle_end(self, worker: Worker, code: int) -> None:
        """Handle the end of a worker, and replace it if it died and cells are left."""
        self._read(worker)
        os.close(worker.pipe)
        self.workers = [other for other in self.workers if other is not worker]
        held = self._claims(worker.pid)
        if self.stops():
            self._release(worker.pid)
        if self.stops() or not (code or held):
            return
        how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        self._add_crash(held, how)
        self.deaths_between_cells += not held
        if held or (code != INTERNAL_ERROR and self.deaths_between_cells <= MAX_DEATHS_BETWEEN_CELLS):
            self._start(worker.number)

    def _add_crash(self, held: Sequence[tuple[Cell, bool]], how: str) -> None:
        """Add a crash to the cells that a dead worker was training; mark a cell with repeated deaths as failed.

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
                clean_up(cell.directory)
                continue
            claim = cell_lock.Claim.acquire(cell.directory)
            if claim is None or claim.crash_history is None:
                continue
            with claim:
                deaths = (*claim.crash_history.deaths, *([how] if alone else []))
                claim.crash_history = CrashHistory(claim.crash_history.limit, deaths)
                if len(deaths) >= MAX_DEATHS:
                    claim.crash_history = CrashHistory(1)  # reset the deaths for a later retry of failed cells
                    self.run_state.record_failure(cell, self._process_died(cell, deaths), 0.0)

    def _process_died(self, cell: Cell, deaths: Sequence[str]) -> ProcessDied:
        step = self.last_steps.get(cell.name)
        where = f"last reported step {step}" if step else "no step was reported"
        how = " and ".join(dict.fromkeys(deaths))
        times = "twice" if len(deaths) == MAX_DEATHS else f"{len(deaths)} times"
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
        """Release the claims of a worker that was asked to stop, without adding a crash."""
        for cell, _ in self._claims(pid):
            noted = CrashHistory.in_claim(cell_lock.owner(cell.directory))
            claim = cell_lock.Claim.acquire(cell.directory)
            if claim is not None:
                claim.crash_history = noted
                claim.release()

    def _signal(self, number: signal.Signals) -> None:
        for worker in self.workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker.pid, number)

    def _wait_for_messages(self) -> None:
        """Wait up to POLL_S for messages or the end of a worker, and show the messages."""
        with selectors.DefaultSelector() as selector:  # without the limit of select() to descriptors below 1024
            for worker in self.workers:
                selector.register(worker.pipe, selectors.EVENT_READ)
            ready = {key.fd for key, _ in selector.select(POLL_S)}
        for worker in self.workers:
            if worker.pipe in ready:
                self._read(worker)

    def _read(self, worker: Worker) -> None:
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
            self.run_state.progress.step(*about)
        elif kind == "device failed":
            self.run_state.outcome.device_failed = True
        else:
            name, state, text = about
            self.run_state.progress.finish(name, State(state), text)
