"""Batched training of cells: several cells are trained as the members of one pack."""

from __future__ import annotations

import json
import logging
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

from gansweep.config.keys import shared_in_pack
from gansweep.sweep import cell_lock, pack_trials
from gansweep.sweep.cell import Cell, State
from gansweep.sweep.failure import free_memory
from gansweep.sweep.identity import canonical
from gansweep.sweep.run_state import ClaimLost, Settle, Step, Work, put_aside
from gansweep.training.interruption import interrupts

if TYPE_CHECKING:
    from gansweep.training.logbook import Logbook

log = logging.getLogger(__name__)

Open = Callable[[Cell, Step], "Logbook"]


class Seat(NamedTuple):
    """A cell in training, with its claim, callback, logbook and start time."""

    cell: Cell
    claim: cell_lock.Claim
    step: Step
    book: Logbook
    since: float


def in_packs(open_book: Open, size: Callable[[Sequence[Cell]], int]) -> Settle:
    """Return a Settle function that trains compatible cells together in packs.

    Args:
        open_book: opens the logbook of a cell, which writes all its files.
        size: returns the number of members of a pack for a list of compatible cells.
    """
    return lambda work, cells: _Together(work, open_book, size).settle(cells)


class _Together:
    def __init__(self, work: Work, open_book: Open, size: Callable[[Sequence[Cell]], int]) -> None:
        self.work, self.open_book, self.size = work, open_book, size

    def settle(self, cells: Sequence[Cell]) -> list[Cell]:
        left: list[Cell] = []
        for group in alike(cells):
            waiting = [cell for cell in group if not self.work.already_settled(cell)]
            for limit, subset in by_limit(waiting):
                self.work.outcome.interrupted |= self.work.stop()
                left += subset if self.work.outcome.interrupted else self._train(subset, self._size(subset, limit))
        return left

    def _size(self, cells: Sequence[Cell], limit: int | None) -> int:
        """Return the size of the packs, at most `limit`; 1 if a process died in a trial."""
        if limit == 1 or pack_trials.have_killed(cells[0].directory.parent):
            return 1
        with pack_trials.noted(cells[0].directory.parent):
            size = self.size(cells)
        return size if limit is None else min(size, limit)

    def _train(self, cells: Sequence[Cell], size: int) -> list[Cell]:
        """Train compatible cells in packs of `size`; return the cells that were not settled.

        After an error of a whole pack, such as out of memory, smaller packs are tried.
        """
        left: list[Cell] = []
        while cells:
            pack = _Seats(self, cells, min(size, len(cells)))
            failure = self._play(pack, size)
            left += pack.busy
            cells = [*pack.left_seats, *pack.waiting]
            if failure is None:
                left += cells
                cells = []
            elif size > 1:
                message = f"{type(failure).__name__}: {failure}"
                log.warning("%d cells together: %s; trying them in smaller packs", len(pack.left_seats), message)
                size //= 2
            else:
                left += [cell for cell in pack.left_seats if not self._fail(cell, failure)]
                cells = list(pack.waiting)
            del failure  # its traceback keeps the tensors of the pack alive
            free_memory()
        return left

    def _fail(self, cell: Cell, failure: BaseException) -> bool:
        """Record the failure of a released cell; return False if another process has locked it in the meantime."""
        claim = self.work.claim(cell)
        if claim is None:
            return False
        with claim:
            if not self.work.already_settled(cell):
                self.work.keep_failure(cell, failure, 0.0)
        return True

    def _play(self, pack: _Seats, size: int) -> BaseException | None:
        """Train until no cells are waiting or a stop is requested; return the error of a whole pack, if any."""
        from gansweep.training.trainer import Interrupted, train_together

        try:
            with pack:
                train_together(pack.take(size), refill=pack.take, ended=pack.ended, stop=self.work.stop)
        except Interrupted:
            self.work.outcome.interrupted = True
        except BaseException as error:
            if interrupts(error):
                raise
            return error
        return None


class _Seats:
    """The cells of one group: waiting, in the pack (`seats`), or locked by other processes (`busy`)."""

    def __init__(self, together: _Together, cells: Sequence[Cell], size: int) -> None:
        self.together, self.work, self.size = together, together.work, size
        self.waiting, self.busy = deque(cells), list[Cell]()
        self.seats: dict[str, Seat] = {}
        self.left_seats: list[Cell] = []

    def take(self, free: int) -> list[Logbook]:
        """Claim at most `free` of the waiting cells and return their logbooks."""
        books: list[Logbook] = []
        while self.waiting and len(books) < free and not self.work.stop():
            book = self._open(self.waiting.popleft())
            if book is not None:
                books.append(book)
        return books

    def _open(self, cell: Cell) -> Logbook | None:
        if self.work.already_settled(cell):
            return None
        try:
            claim = self.work.claim(cell, self.size)
        except OSError as error:
            self.work.keep_failure(cell, error, 0.0)
            return None
        if claim is None:
            self.busy.append(cell)
            return None
        with ExitStack() as unless_seated:
            unless_seated.callback(claim.release)
            # Check again: another process may have finished the cell before the claim was acquired.
            if self.work.already_settled(cell):
                return None
            step = self.work.watch(cell, claim)
            try:
                put_aside(cell)
                book = self.together.open_book(cell, step)
            except BaseException as error:
                if interrupts(error):
                    raise
                if claim.is_lost():
                    self._lose(cell)
                else:
                    self.work.keep_failure(cell, error, 0.0)
                return None
            self.seats[str(book.directory)] = Seat(cell, claim, step, book, time.monotonic())
            unless_seated.pop_all()
            return book

    def ended(self, book: Logbook) -> None:
        """Store the record of a finished or failed member, and release its claim."""
        seat = self.seats.pop(str(book.directory))
        try:
            with seat.claim:
                try:
                    if book.error is not None:
                        raise book.error
                    record = book.close()
                except ClaimLost:
                    raise
                except BaseException as error:
                    if interrupts(error):
                        raise
                    self.work.keep_failure(seat.cell, error, time.monotonic() - seat.since, seat.step.guard)
                else:
                    self.work.keep(seat.cell, record)
                    seat.claim.release(finished=State(record["state"]).is_result)
        except ClaimLost:
            self._lose(seat.cell)

    def _lose(self, cell: Cell) -> None:
        """Mark a cell as busy that another process has taken over."""
        log.warning("%s was taken over by another process", cell.name)
        self.busy.append(cell)

    def __enter__(self) -> _Seats:
        return self

    def __exit__(self, *error: object) -> None:
        """Release the cells that were still training; their checkpoints are kept."""
        for seat in self.seats.values():
            seat.book.drop()
            seat.claim.release()
            self.left_seats.append(seat.cell)
        self.seats.clear()


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
        suspicion = cell_lock.suspicion(cell.directory)
        groups.setdefault(suspicion and suspicion.limit, []).append(cell)
    return sorted(groups.items(), key=lambda group: -math.inf if group[0] is None else -group[0])
