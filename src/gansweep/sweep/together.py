"""Training cells of a sweep several at a time, as the members of one pack."""

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
    """A cell that is being trained, and the right to do so."""

    cell: Cell
    claim: cell_lock.Claim
    step: Step
    book: Logbook
    since: float


def in_packs(open_book: Open, size: Callable[[Sequence[Cell]], int]) -> Settle:
    """Return the way to settle cells that trains those together that can share a pack.

    Args:
        open_book: makes the logbook of a cell, which from then on leaves everything on disk.
        size: members of a pack, given the cells that could share it.
    """
    return lambda work, cells: _Together(work, open_book, size).settle(cells)


class _Together:
    def __init__(self, work: Work, open_book: Open, size: Callable[[Sequence[Cell]], int]) -> None:
        self.work, self.open_book, self.size = work, open_book, size

    def settle(self, cells: Sequence[Cell]) -> list[Cell]:
        left: list[Cell] = []
        for group in alike(cells):
            waiting = [cell for cell in group if not self.work.already_settled(cell)]
            for limit, some in by_limit(waiting):
                self.work.outcome.interrupted |= self.work.stop()
                left += some if self.work.outcome.interrupted else self._train(some, self._size(some, limit))
        return left

    def _size(self, cells: Sequence[Cell], limit: int | None) -> int:
        """Choose how many cells are trained at once, at most `limit`; one if a process died in a trial."""
        if limit == 1 or pack_trials.have_killed(cells[0].directory.parent):
            return 1
        with pack_trials.noted(cells[0].directory.parent):
            size = self.size(cells)
        return size if limit is None else min(size, limit)

    def _train(self, cells: Sequence[Cell], size: int) -> list[Cell]:
        """Train cells that can share a pack of `size`; return those that were not settled.

        When something raises about a pack as a whole, such as its memory, smaller ones are tried.
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
                said = f"{type(failure).__name__}: {failure}"
                log.warning("%d cells together: %s; trying them in smaller packs", len(pack.left_seats), said)
                size //= 2
            else:
                left += [cell for cell in pack.left_seats if not self._fail(cell, failure)]
                cells = list(pack.waiting)
            del failure  # its traceback holds the tensors of the pack
            free_memory()
        return left

    def _fail(self, cell: Cell, failure: BaseException) -> bool:
        """Record the failure of a cell that was let go; False if another process has claimed it since."""
        claim = self.work.claim(cell)
        if claim is None:
            return False
        with claim:
            if not self.work.already_settled(cell):
                self.work.keep_failure(cell, failure, 0.0)
        return True

    def _play(self, pack: _Seats, size: int) -> BaseException | None:
        """Train until no cell waits or somebody asked to stop; return what was raised about a whole pack."""
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
    """The cells of one group: waiting, seated in the pack, or in the hands of other processes."""

    def __init__(self, together: _Together, cells: Sequence[Cell], size: int) -> None:
        self.together, self.work, self.size = together, together.work, size
        self.waiting, self.busy = deque(cells), list[Cell]()
        self.seats: dict[str, Seat] = {}
        self.left_seats: list[Cell] = []

    def take(self, free: int) -> list[Logbook]:
        """Claim and open at most so many of the waiting cells."""
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
            # Between the look and the claim another process may have finished it.
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
        """Keep the record of a member that ended, or of its failure, and free its cell."""
        seat = self.seats.pop(str(book.directory))
        try:
            with seat.claim:
                try:
                    if book.error is not None:
                        raise book.error
                    found = book.close()
                except ClaimLost:
                    raise
                except BaseException as error:
                    if interrupts(error):
                        raise
                    self.work.keep_failure(seat.cell, error, time.monotonic() - seat.since, seat.step.guard)
                else:
                    self.work.keep(seat.cell, found)
                    seat.claim.release(finished=State(found["state"]).is_result)
        except ClaimLost:
            self._lose(seat.cell)

    def _lose(self, cell: Cell) -> None:
        """Leave a cell to the process that took it over."""
        log.warning("%s was taken over by another process", cell.name)
        self.busy.append(cell)

    def __enter__(self) -> _Seats:
        return self

    def __exit__(self, *error: object) -> None:
        """Free the cells that were still training; their checkpoints remain."""
        for seat in self.seats.values():
            seat.book.drop()
            seat.claim.release()
            self.left_seats.append(seat.cell)
        self.seats.clear()


def alike(cells: Sequence[Cell]) -> list[list[Cell]]:
    """Group cells that can share a pack, in the order in which the groups begin."""
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(json.dumps(canonical(shared_in_pack(cell.config)), sort_keys=True), []).append(cell)
    return list(groups.values())


def by_limit(cells: Sequence[Cell]) -> list[tuple[int | None, list[Cell]]]:
    """Group cells by how many of them may be trained at once, given which processes died; unlimited ones first."""
    groups: dict[int | None, list[Cell]] = {}
    for cell in cells:
        suspicion = cell_lock.suspicion(cell.directory)
        groups.setdefault(suspicion and suspicion.limit, []).append(cell)
    return sorted(groups.items(), key=lambda group: -math.inf if group[0] is None else -group[0])
