"""Training of the cells of a sweep in packs: compatible cells are the members of one pack."""

from __future__ import annotations

import gc
import json
import logging
import math
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from gansweep.config.keys import shared_in_pack
from gansweep.device_errors import is_device_failure
from gansweep.sweep import cell_lock, process
from gansweep.sweep.bounds import Share, TimeLimit
from gansweep.sweep.cell import Cell
from gansweep.sweep.identity import canonical
from gansweep.sweep.pack_cells import Open, PackCells, Waits, never_waits
from gansweep.sweep.run_state import Executor, RunState
from gansweep.training.interruption import Interrupted, interrupts

log = logging.getLogger(__name__)

DEVICE_FAILED = (
    "This process can't use the device any more, so the sweep is stopped. The same command continues the cells from "
    "their checkpoints. CUDA reports errors late; with CUDA_LAUNCH_BLOCKING=1 this is the line that failed."
)

Train = Callable[..., None]
# (compatible cells, stop) -> members of a pack; raises Interrupted if stop() returns True
Choose = Callable[[Sequence[Cell], Callable[[], bool]], int]


def train_together(sessions: Sequence[Any], **callbacks: Any) -> None:
    """Call `gansweep.training.trainer.train_together`, which imports torch."""
    from gansweep.training import trainer

    trainer.train_together(sessions, **callbacks)


def in_packs(
    open_session: Open,
    size: int | Choose = 1,
    train: Train = train_together,
    limit: TimeLimit | None = None,
    waits: Waits = never_waits,
) -> Executor:
    """Return an executor that trains compatible cells together in packs.

    Args:
        open_session: opens the training session of a cell, which writes all its files.
        size: number of members of a pack, or a function that chooses it for a list of compatible cells by trial runs.
        train: trains sessions; takes the arguments of `gansweep.training.trainer.train_together`.
        limit: no cell begins that would end after it. Cells that can't share a pack get equal parts of the time.
        waits: returns whether a cell should be trained later; see `sweep.branching`.
    """
    return partial(_execute, open_session, size, train, limit, waits)  # can be sent to another process


def _execute(
    open_session: Open,
    size: int | Choose,
    train: Train,
    limit: TimeLimit | None,
    waits: Waits,
    run_state: RunState,
    cells: Sequence[Cell],
) -> list[Cell]:
    return _PackExecutor(run_state, open_session, size, train, limit, partial(waits, run_state)).execute(cells)


class _PackExecutor:
    def __init__(
        self,
        run_state: RunState,
        open_session: Open,
        size: int | Choose,
        train: Train,
        limit: TimeLimit | None,
        waits: Callable[[Cell], bool],
    ) -> None:
        self.run_state, self.open_session, self.size, self.train = run_state, open_session, size, train
        self.limit, self.waits = limit, waits

    def execute(self, cells: Sequence[Cell]) -> list[Cell]:
        """Train all cells; return those that were left for other processes, or after a request to stop.

        Cells that do not fit into the time limit are not among these.
        """
        waited = {cell.hash for cell in cells if self.waits(cell)}
        left = self._execute_once(cells)
        # The branch point of a cell may have been written by a later group.
        while not self.run_state.outcome.interrupted and (
            ready := [cell for cell in left if cell.hash in waited and not self.waits(cell)]
        ):
            waited -= {cell.hash for cell in ready}
            left = [cell for cell in left if cell not in ready] + self._execute_once(ready)
        return left

    def _execute_once(self, cells: Sequence[Cell]) -> list[Cell]:
        left: list[Cell] = []
        while cells:
            groups, late = alike(cells), list[Cell]()
            for number, group in enumerate(groups):
                left += self._train_alike(group, len(groups) - number, late)
            cells = late if len(late) < len(cells) else []  # again, unless the time is too short for all of them
        return left

    def _train_alike(self, group: Sequence[Cell], num_groups: int, late: list[Cell]) -> list[Cell]:
        """Train compatible cells and return those that were left.

        Args:
            group: the cells.
            num_groups: number of groups that share the remaining time, this one included.
            late: the cells that do not fit into the time limit are appended here, instead of being returned.
        """
        left: list[Cell] = []
        outcome, stop = self.run_state.outcome, self.run_state.stop
        waiting = [cell for cell in group if not self.run_state.is_done(cell)]
        for limit, subset in by_limit(waiting):
            outcome.interrupted |= stop()
            if outcome.interrupted or all(map(self.waits, subset)):
                left += subset
                continue
            try:
                size = self._size(subset, limit)
            except Interrupted:
                outcome.interrupted = True
                left += subset
                continue
            left += self._train_group(subset, size, self._fits(subset, num_groups), late)
        return left

    def _fits(self, cells: Sequence[Cell], num_groups: int) -> Callable[[Cell], bool] | None:
        """Return whether one of some compatible cells may begin, as a function; None without a time limit."""
        if self.limit is None:
            return None
        records, kind = self.run_state.outcome.records, _pack_key(cells[0].config)
        finished = [record for record in records.values() if _pack_key(record["config"]) == kind]
        return Share.of(self.limit, num_groups, finished, cells, records).allows

    def _size(self, cells: Sequence[Cell], limit: int | None) -> int:
        """Return the size of the packs, at most `limit`; 1 if a process died in a trial run."""
        if isinstance(self.size, int):
            size = self.size
        elif limit == 1 or process.died_in_trial(cells[0].directory.parent):
            return 1
        else:
            with process.trial_marker(cells[0].directory.parent):
                size = self.size(cells, self.run_state.stop)
        return size if limit is None else min(size, limit)

    def _train_group(
        self, cells: Sequence[Cell], size: int, fits: Callable[[Cell], bool] | None, late: list[Cell]
    ) -> list[Cell]:
        """Train compatible cells in packs of `size`; return the cells that were not trained.

        After an error of a whole pack, such as out of memory, smaller packs are tried.

        Args:
            cells: the cells.
            size: number of members of a pack.
            fits: returns whether the time limit allows a cell to begin; None without a limit.
            late: the other cells are appended here, instead of being returned.
        """
        left: list[Cell] = []
        while cells:
            pack = PackCells(self.run_state, self.open_session, cells, min(size, len(cells)), fits, self.waits)
            failure = self._train_pack(pack, size)
            left += pack.locked
            late += pack.late
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

    def _train_pack(self, pack: PackCells, size: int) -> BaseException | None:
        """Train until no cells are waiting or a stop is requested; return the error of a whole pack, if any.

        If the device fails, the sweep is stopped: all other cells would fail, too.
        """
        try:
            with pack:
                stop = self.run_state.stop
                self.train(pack.take(size), refill=pack.take, ended=pack.ended, stop=stop, places=size)
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


def alike(cells: Sequence[Cell]) -> list[list[Cell]]:
    """Group cells that can share a pack, in order of first appearance."""
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(_pack_key(cell.config), []).append(cell)
    return list(groups.values())


def _pack_key(config: Mapping[str, Any]) -> str:
    """Return a text that is equal for cells that can share a pack."""
    return json.dumps(canonical(shared_in_pack(config)), sort_keys=True)


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
