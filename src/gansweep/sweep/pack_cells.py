"""Cells of one pack: their claims and sessions while they wait and train.

Which cells can share a pack is decided by `alike` in `pack_executor`.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

from gansweep.device_errors import is_device_failure
from gansweep.sweep import cell_lock
from gansweep.sweep.cell import Cell, State
from gansweep.sweep.run_state import ClaimLost, RunState, StepCallback, prepare_directory
from gansweep.training.interruption import interrupts

if TYPE_CHECKING:
    from gansweep.training.session import TrainingSession as Session

log = logging.getLogger(__name__)

Open = Callable[[Cell, StepCallback], "Session"]
Waits = Callable[[RunState, Cell], bool]


def never_waits(run_state: RunState, cell: Cell) -> bool:
    """Return False: the cell can be trained now."""
    return False


class ActiveCell(NamedTuple):
    """A cell in training, with its claim, callback, session and start time."""

    cell: Cell
    claim: cell_lock.Claim
    callback: StepCallback
    session: Session
    since: float


class PackCells:
    """The cells of one group: waiting, in training (`active`), or excluded.

    Cells are excluded if other processes have locked them (`locked`) or if they do not fit into the time (`late`).
    """

    def __init__(
        self,
        run_state: RunState,
        open_session: Open,
        cells: Sequence[Cell],
        size: int,
        fits: Callable[[Cell], bool] | None,
        waits: Callable[[Cell], bool],
    ) -> None:
        self.run_state, self.open_session, self.size, self.fits, self.waits = run_state, open_session, size, fits, waits
        self.waiting, self.locked, self.late = deque(cells), list[Cell](), list[Cell]()
        self.active: dict[str, ActiveCell] = {}
        self.unfinished: list[Cell] = []

    def take(self, free: int) -> list[Session]:
        """Lock at most `free` of the waiting cells that can be trained now, and return their sessions."""
        sessions: list[Session] = []
        later = list[Cell]()
        try:
            while self.waiting and len(sessions) < free and not self.run_state.stop():
                cell = self.waiting.popleft()
                if self.fits is not None and not self.fits(cell):
                    self.late.append(cell)
                elif self.waits(cell):
                    later.append(cell)
                elif (session := self._open(cell)) is not None:
                    sessions.append(session)
        finally:
            self.waiting.extendleft(reversed(later))
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
            self.active[str(session.directory)] = ActiveCell(cell, claim, callback, session, time.monotonic())
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

    def __enter__(self) -> PackCells:
        return self

    def __exit__(self, *error: object) -> None:
        """Release the cells that were still training; their checkpoints are kept."""
        for active in self.active.values():
            active.session.close()
            active.claim.release()
            self.unfinished.append(active.cell)
        self.active.clear()
