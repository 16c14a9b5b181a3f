"""Training of the cells of a sweep in packs: compatible cells are the members of one pack."""

from __future__ import annotations

import gc
import json
import logging
import math
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from gansweep.config.keys import shared_in_pack
from gansweep.device_errors import is_device_failure
from gansweep.sweep import cell_lock, process
from gansweep.sweep.cell import Cell, State
from gansweep.sweep.identity import canonical
from gansweep.sweep.run_state import ClaimLost, Executor, RunState, StepCallback, prepare_directory
from gansweep.training.interruption import Interrupted, interrupts

if TYPE_CHECKING:
    from gansweep.training.session import TrainingSession as Session

log = logging.getLogger(__name__)

DEVICE_FAILED = (
    "This process can't use the device any more, so the sweep is stopped. The same command continues the cells from "
    "their checkpoints. CUDA reports errors late; with CUDA_LAUNCH_BLOCKING=1 this is the line that failed."
)


Open = Callable[[Cell, StepCallback], "Session"]
Train = Callable[..., None]


def train_together(sessions: Sequence[Any], **callbacks: Any) -> None:
    """Call `gansweep.training.trainer.train_together`, which imports torch."""
    from gansweep.training import trainer

    trainer.train_together(sessions, **callbacks)


def in_packs(
    open_session: Open, size: int | Callable[[Sequence[Cell]], int] = 1, train: Train = train_together
) -> Executor:
    """Return an executor that trains compatible cells together in packs.

    Args:
        open_session: opens the training session of a cell, which writes all its files.
        size: number of members of a pack, or a function that chooses it for a list of compatible cells by trial runs.
        train: trains sessions; takes the arguments of `gansweep.training.trainer.train_together`.
    """
    return partial(_execute, open_session, size, train)  # can be sent to another process


def _execute(
    open_session: Open,
    size: int | Callable[[Sequence[Cell]], int],
    train: Train,
    run_state: RunState,
    cells: Sequence[Cell],
) -> list[Cell]:
    return _PackExecutor(run_state, open_session, size, train).execute(cells)


class _PackExecutor:
    def __init__(
        self, run_state: RunState, open_session: Open, size: int | Callable[[Sequence[Cell]], int], train: Train
    ) -> None:
        self.run_state, self.open_session, self.size, self.train = run_state, open_session, size, train

    def execute(self, cells: Sequence[Cell]) -> list[Cell]:
        """Train all cells; return those that were left for later or for other processes."""
        left: list[Cell] = []
        outcome, stop = self.run_state.outcome, self.run_state.stop
        for group in alike(cells):
            waiting = [cell for cell in group if not self.run_state.is_done(cell)]
            for limit, subset in by_limit(waiting):
                outcome.interrupted |= stop()
                left += subset if outcome.interrupted else self._train_group(subset, self._size(subset, limit))
        return left

    def _size(self, cells: Sequence[Cell], limit: int | None) -> int:
        """Return the size of the packs, at most `limit`; 1 if a process died in a trial run."""
        if isinstance(self.size, int):
            size = self.size
        elif limit == 1 or process.died_in_trial(cells[0].directory.parent):
            return 1
        else:
            with process.trial_marker(cells[0].directory.parent):
                size = self.size(cells)
        return size if limit is None else min(size, limit)

    def _train_group(self, cells: Sequence[Cell], size: int) -> list[Cell]:
        """Train compatible cells in packs of `size`; return the cells that were not trained.

        After an error of a whole pack, such as out of memory, smaller packs are tried.
        """
        left: list[Cell] = []
        while cells:
            pack = _PackCells(self.run_state, self.open_session, cells, min(size, len(cells)))
            failure = self._train_pack(pack, size)
            left += pack.locked
            cells = [*pack.unfinished, *pack.waiting]
            if failure is None:
                left += cells
                cells = []
            elif size > 1:
                message = f"{type(failure).__name__}: {failure}"
                log.warning("%d cells together: %s; trying them in smaller packs", len(pack.unfinished), message)
                size //= 2
            else:
                left += [cell for cell in pack.unfinished if not self._record_failure(cell, failure)]
                cells = list(pack.waiting)
            del failure  # its traceback keeps the tensors of the pack alive
            if not self.run_state.outcome.device_failed:  # else this would raise, too
                free_memory()
        return left

    def _train_pack(self, pack: _PackCells, size: int) -> BaseException | None:
        """Train until no cells are waiting or a stop is requested; return the error of a whole pack, if any.

        If the device fails, the sweep is stopped: all other cells would fail, too.
        """
        try:
            with pack:
                self.train(pack.take(size), refill=pack.take, ended=pack.ended, stop=self.run_state.stop)
        except Interrupted:
            self.run_state.outcome.interrupted = True
        except BaseException as error:
            if interrupts(error):
                raise
            if not is_device_failure(error):
                return error
            outcome = self.run_state.outcome
            outcome.interrupted = outcome.device_failed = True
            reason, at = str(error).partition("\n")[0], traceback.extract_tb(error.__traceback__)[-1]
            log.error("%s, reported in %s:%d. %s", reason, at.filename, at.lineno, DEVICE_FAILED)
        return None

    def _record_failure(self, cell: Cell, failure: BaseException) -> bool:
        """Record the failure of a released cell; return False if another process has locked it in the meantime."""
        claim = self.run_state.claim(cell)
        if claim is None:
            return False
        with claim:
            if not self.run_state.is_done(cell):
                self.run_state.record_failure(cell, failure, 0.0)
        return True


class _ActiveCell(NamedTuple):
    """A cell in training, with its claim, callback, session and start time."""

    cell: Cell
    claim: cell_lock.Claim
    callback: StepCallback
    session: Session
    since: float


class _PackCells:
    """The cells of one group: waiting, in training (`active`), or locked by other processes (`locked`)."""

    def __init__(self, run_state: RunState, open_session: Open, cells: Sequence[Cell], size: int) -> None:
        self.run_state, self.open_session, self.size = run_state, open_session, size
        self.waiting, self.locked = deque(cells), list[Cell]()
        self.active: dict[str, _ActiveCell] = {}
        self.unfinished: list[Cell] = []

    def take(self, free: int) -> list[Session]:
        """Lock at most `free` of the waiting cells and return their sessions."""
        sessions: list[Session] = []
        while self.waiting and len(sessions) < free and not self.run_state.stop():
            session = self._open(self.waiting.popleft())
            if session is not None:
                sessions.append(session)
        return sessions

    def _open(self, cell: Cell) -> Session | None:
        if self.run_state.is_done(cell):
            return None
        try:
            claim = self.run_state.claim(cell, self.size)
        except OSError as error:
            self.run_state.record_failure(cell, error, 0.0)
            return None
        if claim is None:
            self.locked.append(cell)
            return None
        with ExitStack() as unless_opened:
            unless_opened.callback(claim.release)
            # Check again: another process may have finished the cell before the claim was acquired.
            if self.run_state.is_done(cell):
                return None
            callback = self.run_state.callback(cell, claim)
            try:
                prepare_directory(cell)
                session = self.open_session(cell, callback)
            except BaseException as error:
                if interrupts(error) or is_device_failure(error):
                    self.waiting.appendleft(cell)
                    raise
                if claim.is_lost():
                    self._lose(cell)
                else:
                    self.run_state.record_failure(cell, error, 0.0)
                return None
            self.active[str(session.directory)] = _ActiveCell(cell, claim, callback, session, time.monotonic())
            unless_opened.pop_all()
            return session

    def ended(self, session: Session) -> None:
        """Store the record of a finished or failed member, and release its claim."""
        cell, claim, callback, _, since = self.active.pop(str(session.directory))
        try:
            with claim:
                try:
                    if session.error is not None:
                        raise session.error
                    record = dict(session.finalize())
                except ClaimLost:
                    raise
                except BaseException as error:
                    if interrupts(error) or is_device_failure(error):
                        raise
                    self.run_state.record_failure(cell, error, time.monotonic() - since, callback.guard)
                else:
                    self.run_state.record_result(cell, record)
                    claim.release(finished=State(record["state"]).is_result)
        except ClaimLost:
            self._lose(cell)

    def _lose(self, cell: Cell) -> None:
        """Mark a cell as locked that another process has taken over."""
        log.warning("%s was taken over by another process", cell.name)
        self.locked.append(cell)

    def __enter__(self) -> _PackCells:
        return self

    def __exit__(self, *error: object) -> None:
        """Release the cells that were still training; their checkpoints are kept."""
        for active in self.active.values():
            active.session.close()
            active.claim.release()
            self.unfinished.append(active.cell)
        self.active.clear()


def alike(cells: Sequence[Cell]) -> list[list[Cell]]:
    """Group cells that can share a pack, in order of first appearance."""
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(json.dumps(canonical(shared_in_pack(cell.config)), sort_keys=True), []).append(cell)
    return list(groups.values())


def by_limit(cells: Sequence[Cell]) -> list[tuple[int | None, list[Cell]]]:
    """Group cells by their maximum pack size, which is limited after the death of a process; unlimited cells first."""
    groups: dict[int | None, list[Cell]] = {}
    for cell in cells:
        crash_history = cell_lock.crash_history(cell.directory)
        groups.setdefault(crash_history and crash_history.limit, []).append(cell)
    return sorted(groups.items(), key=lambda group: -math.inf if group[0] is None else -group[0])


def free_memory() -> None:
    """Free the memory of previous cells, including GPU memory, without importing torch."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
