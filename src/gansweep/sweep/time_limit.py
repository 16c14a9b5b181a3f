"""Limit of the wall time of a command, `hours`."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from gansweep.sweep.cell import Cell
from gansweep.training import checkpoint_step

HOUR_S = 3600.0


@dataclass(frozen=True)
class TimeLimit:
    """Wall time of one command. Running cells are saved at its end.

    Args:
        hours: length of the command.
        ends: end of the command, in seconds since the epoch, so that all its processes and tasks agree on it.
    """

    hours: float
    ends: float

    @classmethod
    def of(cls, hours: float | None, started: float) -> TimeLimit | None:
        """Return the limit of a command that started at a time; None for no limit."""
        return None if hours is None else cls(hours, started + hours * HOUR_S)

    def reached(self) -> bool:
        """Return whether the command has to end."""
        return time.time() >= self.ends

    def num_together(self, seconds: float) -> int:
        """Return how many cells a pack may have to end in half of the remaining time, at least one.

        A larger pack trains more cells per hour, but none of them would end. The other half is for evaluations.

        Args:
            seconds: training time of the pack per cell.
        """
        return max(int((self.ends - time.time()) / (2 * max(seconds, 1e-9))), 1)

    def allows(self, cell: Cell, finished: Iterable[Mapping[str, Any]]) -> bool:
        """Return whether a cell may begin now.

        A cell without a checkpoint may not, if it would end after the limit at the median speed of finished cells. One
        that takes longer than the whole limit may: it is continued by the next command.

        Args:
            cell: the cell.
            finished: records of cells with the same time per step.
        """
        if self.reached():
            return False
        if checkpoint_step.read(cell.directory) is not None:
            return True
        speeds = [r["time"]["wall_s"] / r["steps"] for r in finished if r.get("steps") and r["time"].get("wall_s")]
        seconds = statistics.median(speeds) * cell.config["steps"] if speeds else 0.0
        return time.time() + seconds <= self.ends or seconds > self.hours * HOUR_S


class Share(NamedTuple):
    """Part of the time of a command, for cells that can share a pack.

    Args:
        limit: of the command.
        ends: end of this part, in seconds since the epoch. A cell that began before may end after it.
        finished: records of such cells that ended before.
        cells: the cells.
        records: of finished cells, by hash; those of `cells` are added while they are trained.
    """

    limit: TimeLimit
    ends: float
    finished: Sequence[Mapping[str, Any]]
    cells: Sequence[Cell]
    records: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(cls, limit: TimeLimit, num_left: int, *about: Any) -> Share:
        """Return the first of `num_left` equal parts of the remaining time; further arguments are the other fields."""
        now = time.time()
        return cls(limit, now + (limit.ends - now) / num_left, *about)

    def allows(self, cell: Cell) -> bool:
        """Return whether a cell may begin now."""
        new = [self.records[other.hash] for other in self.cells if other.hash in self.records]
        return time.time() < self.ends and self.limit.allows(cell, [*self.finished, *new])


def no_limit(cell: Cell) -> bool:
    """Return True: every cell may begin."""
    del cell
    return True
