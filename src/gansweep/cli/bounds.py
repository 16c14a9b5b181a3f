"""cells=200 and hours=8: the part of a grid that a command trains, and what it leaves out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from gansweep.formatting import counted
from gansweep.sweep.cell import Cell, cells
from gansweep.sweep.identity import plain
from gansweep.sweep.plan import Plan
from gansweep.sweep.progress import duration
from gansweep.sweep.time_limit import HOUR_S, TimeLimit
from gansweep.sweep.training_order import bounded


@dataclass
class Bounds:
    """Bounds of a command, and the number of cells that it leaves out because of them.

    Args:
        most: largest number of trained cells; None for all.
        limit: of the time; None for none.
        searched: keys that the command line gives as intervals.

    Attributes:
        num_cells: number of cells before any is left out.
        num_left_out: number of cells that are left out because of `most`.
        num_unfinished: number of the other cells that did not fit into the time.
    """

    most: int | None
    limit: TimeLimit | None
    searched: Collection[str] = ()
    num_cells: int = 0
    num_left_out: int = 0
    num_unfinished: int = 0

    def kept(self, grid: Sequence[Cell], is_done: Callable[[Cell], bool], num_before: int) -> list[int]:
        """Return the indices of the cells to train, in their order: all in the order of the grid without bounds.

        Args:
            grid: the cells.
            is_done: returns True if a cell needs no training.
            num_before: number of cells of earlier rounds, which count too.
        """
        if self.most is None and self.limit is None:
            return [*range(len(grid))]
        most = None if self.most is None else max(self.most - num_before, 0)
        kept = bounded(grid, is_done, most, self.searched)
        self.num_cells = len({cell.hash for cell in grid})
        self.num_left_out = self.num_cells - len(kept)
        return kept

    def note(self, of: str = "") -> str:
        """Return sentences on the cells that are left out, "" if none are.

        Args:
            of: which cells these are, with a space in front; "" for those of the command line.
        """
        parts = []
        if self.num_left_out:
            of_all = f"{self.num_left_out} of {cells(self.num_cells)}{of}"
            parts.append(f"{of_all} {_is(self.num_left_out)} not trained: cells={self.most}.")
        if self.num_unfinished and self.limit is not None:
            of_all = f"{self.num_unfinished} of {cells(self.num_cells - self.num_left_out)}{of}"
            parts.append(f"{of_all} {_is(self.num_unfinished)} not finished: hours={plain(self.limit.hours)}.")
        return " ".join(parts)


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def fitting_note(plan: Plan, hours: float, workers: int) -> str:
    """Return an estimate of the number of planned cells that end within `hours`.

    Args:
        plan: the cells in the order of training.
        hours: wall time of the command.
        workers: number of processes.
    """
    estimates = [planned.estimate for planned in plan.cells if planned.is_trained]
    known = [estimate for estimate in estimates if estimate is not None]
    if not estimates:
        return ""
    start = f"hours={plain(hours)}"
    if len(known) < len(estimates):
        return (
            f"{start}: the number of cells that end in this time is not known before the first of each kind has ended."
        )
    total, fitting = 0.0, 0
    for estimate in known:
        total += estimate.wall_s / estimate.members / workers
        fitting += total <= hours * HOUR_S
    how = f"in {counted(workers, 'process', 'processes')}"
    if fitting == len(known):
        return f"{start}: enough for all {len(known)} cells, which take about {duration(total)} {how}."
    return f"{start}: about the first {fitting} of these {cells(len(known))} end in this time, {how}."
