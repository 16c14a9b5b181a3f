"""Plan of a sweep: states, expected times and memory of its cells."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gansweep.formatting import visible
from gansweep.sweep.cell import Cell, State, cells
from gansweep.sweep.progress import duration
from gansweep.sweep.result import Result


@dataclass(frozen=True)
class Estimate:
    """Expected cost of a cell.

    Args:
        wall_s: wall-clock time in seconds.
        memory_bytes: peak memory, None if unknown.
    """

    wall_s: float
    memory_bytes: int | None = None


def plan(
    results: Sequence[Result], retry_failed: bool, estimate: Callable[[Cell], Estimate | None] | None = None
) -> str:
    """Return a text with the state and the expected cost of every cell, and the total of the cells to train.

    Args:
        results: the cells in their current states.
        retry_failed: True if failed cells will be trained again.
        estimate: estimates the cost of cells for which no finished cell is comparable.
    """
    measured = _from_finished(results)
    lines, needed = [], []
    for result in results:
        expected = None
        if result.state in (State.NEW, State.RESUMABLE) or (result.state is State.FAILED and retry_failed):
            expected = measured(result.cell) or (estimate(result.cell) if estimate else None)
            needed.append(expected)
        lines.append((result.state.value, _words(expected), result.cell.name))
    counts = {state: sum(result.state is state for result in results) for state in State}
    head = f"{cells(len(results))}: " + ", ".join(f"{count} {state.value}" for state, count in counts.items() if count)
    widths = [max((len(line[column]) for line in lines), default=0) for column in (0, 1)]
    body = [f"  {state:<{widths[0]}}  {cost:<{widths[1]}}  {name}" for state, cost, name in lines]
    return visible("\n".join([head, *body, _total(needed)]))


def _total(needed: Sequence[Estimate | None]) -> str:
    if not needed:
        return "Nothing is left to train."
    known = [estimate for estimate in needed if estimate is not None]
    if not known:
        return f"{len(needed)} to train; time and memory are measured by the first cell."
    memory = max((estimate.memory_bytes or 0 for estimate in known), default=0)
    most = f", {_size(memory)} of memory at most" if memory else ""
    more = f" and {len(needed) - len(known)} of unknown length" if len(known) < len(needed) else ""
    return f"{len(needed)} to train, one after the other about {duration(sum(e.wall_s for e in known))}{more}{most}."


def _words(estimate: Estimate | None) -> str:
    if estimate is None:
        return ""
    memory = f", {_size(estimate.memory_bytes)}" if estimate.memory_bytes else ""
    return f"{duration(estimate.wall_s)}{memory}"


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"


def _from_finished(results: Sequence[Result]) -> Callable[[Cell], Estimate | None]:
    """Return an estimator that uses the median time per step of finished cells of the same kind, or of all."""
    times: dict[str, list[float]] = {}
    memories: dict[str, list[int]] = {}
    for result in results:
        record = result.record or {}
        time = record.get("time") or {}
        if result.state is State.COMPLETED and time.get("wall_s") and record.get("steps"):
            for kind in ("", kind_of(result.cell.config)):
                times.setdefault(kind, []).append(time["wall_s"] / record["steps"])
                if time.get("memory_bytes"):
                    memories.setdefault(kind, []).append(time["memory_bytes"])

    def estimate(cell: Cell) -> Estimate | None:
        kind, steps = kind_of(cell.config), cell.config.get("steps")
        seconds = times.get(kind) or times.get("")
        if not seconds or not isinstance(steps, (int, float)):
            return None
        return Estimate(statistics.median(seconds) * steps, max(memories.get(kind, []), default=None))

    return estimate


def kind_of(config: Mapping[str, Any]) -> str:
    """Return a text key of the settings that dominate the time of a step."""
    keys = ("model", "data", "dynamics", "batch_size", "precision", "critic_steps", "schedule_critic")
    return repr([config.get(key) for key in keys])
