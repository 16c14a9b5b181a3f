"""cells=200 and hours=8: limits of a command, the order of its cells, and what it leaves out."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from gansweep.formatting import counted
from gansweep.statistics.space_filling import space_filling_order
from gansweep.sweep.cell import Cell, cells
from gansweep.sweep.identity import plain
from gansweep.sweep.plan import Plan
from gansweep.sweep.progress import duration
from gansweep.sweep.sweep_keys import SEEDS, swept_keys, value
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


def training_order(cells: Sequence[Cell], searched: Collection[str] = ()) -> list[int]:
    """Return the order of training in which the first cells cover the grid, as indices.

    Every setting has its first seed before any has a second one. The settings are in a space-filling order. Points of
    a search are in the order of their sampler, each with all other settings, so that a part of a search is the search
    with a smaller `num`.

    Args:
        cells: the grid; cells that differ in their seeds only are one setting.
        searched: keys that were given as intervals.
    """
    keys = [key for key in swept_keys(cells) if key not in SEEDS]
    values = [[value(cell, key) for key in keys] for cell in cells]
    texts = [json.dumps(row, sort_keys=True) for row in values]
    listed = [[x for key, x in zip(keys, row, strict=True) if key not in searched] for row in values]
    points = _numbers([[x for key, x in zip(keys, row, strict=True) if key in searched] for row in values])
    numbers = _numbers(listed)
    distinct = dict(zip(numbers, listed, strict=True))
    ranks = {number: rank for rank, number in enumerate(space_filling_order(list(distinct.values())))}
    seeds, repetition = dict[str, int](), list[int]()
    for text in texts:
        seeds[text] = seeds.get(text, -1) + 1
        repetition.append(seeds[text])
    return sorted(range(len(cells)), key=lambda n: (repetition[n], points[n], ranks[numbers[n]], n))


def _numbers(rows: Sequence[Sequence[object]]) -> list[int]:
    """Return the number of each row among the distinct rows, in order of appearance."""
    texts = [json.dumps(row, sort_keys=True) for row in rows]
    numbers = {text: n for n, text in enumerate(dict.fromkeys(texts))}
    return [numbers[text] for text in texts]


def bounded(
    cells: Sequence[Cell],
    is_done: Callable[[Cell], bool],
    most: int | None,
    searched: Collection[str] = (),
) -> list[int]:
    """Return the indices of the cells of a bounded sweep: those that are done, and the next ones up to `most` in all.

    The result is the same after some of these cells have ended, so the same command line continues an interrupted
    sweep with the same cells.

    Args:
        cells: the grid; of cells with equal hashes the first is used.
        is_done: returns True if a cell needs no training.
        most: largest number of cells; None: all. It is exceeded only by cells that are done.
        searched: keys that were given as intervals.
    """
    first = {cell.hash: n for n, cell in reversed(list(enumerate(cells)))}
    order = [n for n in training_order(cells, searched) if first[cells[n].hash] == n]
    if most is None:
        return order
    done = {n for n in order if is_done(cells[n])}
    further = [n for n in order if n not in done][: max(most - len(done), 0)]
    kept = done.union(further)
    return [n for n in order if n in kept]


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

    @property
    def are_set(self) -> bool:
        """Whether there is a bound; without one all cells are trained, in the order of the grid."""
        return self.most is not None or self.limit is not None

    def kept(self, grid: Sequence[Cell], is_done: Callable[[Cell], bool], num_before: int) -> list[int]:
        """Return the indices of the cells to train, in their order.

        Args:
            grid: the cells.
            is_done: returns True if a cell needs no training.
            num_before: number of cells of earlier rounds, which count too.
        """
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
