"""Sequential training of cells, which isolates their failures from each other."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from gansweep.sweep import cell_lock
from gansweep.sweep.cell import Cell, State
from gansweep.sweep.failure import free_memory
from gansweep.sweep.run_state import ClaimLost, Settle, Step, Work, put_aside
from gansweep.training.interruption import interrupts

log = logging.getLogger(__name__)

Train = Callable[[Cell, Callable[[], bool], Step], dict[str, Any]]


def one_by_one(train: Train) -> Settle:
    """Return a Settle function that trains cells one after the other.

    Args:
        train: trains a cell in its directory and returns the record. Its arguments are the cell, `stop`, and the
            callback for every step. Raises Interrupted after `stop` returned True.
    """
    return lambda work, cells: [cell for cell in cells if not _settle(work, cell, train)]


def _settle(work: Work, cell: Cell, train: Train) -> bool:
    """Train a cell to its end; return False if it is left for later or for another process."""
    if work.stop():
        work.outcome.interrupted = True
    if work.outcome.interrupted:
        return False
    if work.already_settled(cell):
        return True
    try:
        claim = work.claim(cell)
    except OSError as error:
        work.keep_failure(cell, error, 0.0)
        return True
    if claim is None:
        return False
    with claim:
        # Check again: another process may have finished the cell before the claim was acquired.
        settled = work.already_settled(cell) or _train(work, cell, claim, train)
        record = work.outcome.records.get(cell.hash)
        if record is not None and State(record["state"]).is_result:
            claim.release(finished=True)
    return settled


def _train(work: Work, cell: Cell, claim: cell_lock.Claim, train: Train) -> bool:
    start = time.monotonic()
    step = work.watch(cell, claim)
    try:
        try:
            put_aside(cell)
            record = train(cell, work.stop, step)
        except ClaimLost:
            raise
        except BaseException as error:
            if interrupts(error):
                raise
            if _is_interruption(error):
                work.outcome.interrupted = True
                return False
            work.keep_failure(cell, error, time.monotonic() - start, step.guard)
        else:
            work.keep(cell, record)
    except ClaimLost:
        log.warning("%s was taken over by another process", cell.name)
        return False
    free_memory()
    return True


def _is_interruption(error: BaseException) -> bool:
    # Imported here, after training: a sweep without work does not import torch.
    from gansweep.training.trainer import Interrupted

    return isinstance(error, Interrupted)
