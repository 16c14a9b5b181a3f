"""Plan of a sweep: states, expected times, memory and kept weights of its cells."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gansweep.formatting import file_size, visible
from gansweep.sweep.branching import Branch
from gansweep.sweep.cell import Cell, Result, State, cells
from gansweep.sweep.progress import duration
from gansweep.sweep.sweep_directory import kept_weights
from gansweep.training import checkpoint_step, kept

FORMAT = 1  # of the JSON
MAX_LINES, SHOWN = 200, 20  # of a longer plan, the first and the last SHOWN cells are listed


@dataclass(frozen=True)
class Estimate:
    """Expected cost of a cell, and the number of cells that are trained together in that time."""

    wall_s: float
    memory_bytes: int | None = None
    members: int = 1

    def of_rest(self, step: int, steps: Any) -> Estimate:
        """Return the cost of the steps after `step`, of `steps` in all."""
        return replace(self, wall_s=self.wall_s * (1 - step / steps)) if step and steps else self


@dataclass(frozen=True)
class PlannedCell:
    """A cell, and what the command line would do with it.

    Args:
        result: the cell in its current state.
        is_trained: True if it would be trained.
        step: step of the checkpoint from which it continues; None without one.
        estimate: expected cost of the remaining steps; None if it is unknown or nothing is left to train.
        branch: cell of the same sweep from whose state it begins, see `sweep.branching`; None without one.
    """

    result: Result
    is_trained: bool
    step: int | None
    estimate: Estimate | None
    branch: Branch | None = None

    @property
    def state(self) -> str:
        """The state, with the step from which the cell continues."""
        if self.step is None:
            return self.result.state.value
        is_own = self.result.state is State.RESUMABLE
        how = "continues" if self.branch is None else "branches"
        state = "resumable" if is_own else f"{self.result.state.value}, {how}"
        return f"{state} from step {self.step} of {self.result.cell.config.get('steps')}"

    def as_dict(self) -> dict[str, Any]:
        """Return the cell in JSON types; times in seconds, memory in bytes."""
        cell, expected = self.result.cell, self.estimate
        return {
            "cell": cell.name,
            "hash": cell.hash,
            "state": self.result.state.value,
            "is_trained": self.is_trained,
            "from_step": self.step,
            "branch_of": self.branch and self.branch.trunk.name,
            "steps": cell.config.get("steps"),
            "expected_s": expected and expected.wall_s,
            "expected_memory_bytes": expected and expected.memory_bytes,
            "overrides": cell.overrides,
        }


@dataclass(frozen=True)
class Plan:
    """What a command line would train.

    Args:
        root: directory of the sweep.
        cells: all cells of the command line.
        notes: further lines, such as continuations and code that was edited.
        warnings: reasons why the rates of cells are expected to be too large, by hash; None if they were not computed.
    """

    root: Path
    cells: Sequence[PlannedCell]
    notes: Sequence[str] = ()
    warnings: Mapping[str, str] | None = None

    @property
    def _counts(self) -> dict[str, int]:
        counts = Counter(planned.result.state for planned in self.cells)
        return {state.value: counts[state] for state in State if counts[state]}

    @property
    def _estimates(self) -> list[Estimate | None]:
        return [planned.estimate for planned in self.cells if planned.is_trained]

    def _warning(self, of_cell: str) -> dict[str, str | None]:
        return {} if self.warnings is None else {"warning": self.warnings.get(of_cell)}

    def text(self) -> str:
        """Return the states and the expected cost of the cells, and the total of the cells to train."""
        head = f"{cells(len(self.cells))}: " + ", ".join(f"{count} {state}" for state, count in self._counts.items())
        lines = [(planned.state, _words(planned.estimate), planned.result.cell.name) for planned in self.cells]
        widths = [max((len(line[column]) for line in lines), default=0) for column in (0, 1)]
        warnings = [(self.warnings or {}).get(planned.result.cell.hash, "") for planned in self.cells]
        body = [
            f"  {state:<{widths[0]}}  {cost:<{widths[1]}}  {name}  {warning}".rstrip()
            for (state, cost, name), warning in zip(lines, warnings, strict=True)
        ]
        if len(body) > MAX_LINES:
            body[SHOWN:-SHOWN] = [f"  ... {len(body) - 2 * SHOWN} more"]
        return visible("\n".join([head, *body, _total(self._estimates), *self._branches(), *self.notes]))

    @property
    def saved_steps(self) -> int:
        """Number of steps that are not trained because cells branch from others."""
        return sum(planned.branch.saved for planned in self.cells if planned.is_trained and planned.branch)

    @property
    def num_steps(self) -> int:
        """Number of steps that are trained."""
        return sum((p.result.cell.config.get("steps") or 0) - (p.step or 0) for p in self.cells if p.is_trained)

    def _branches(self) -> list[str]:
        count = sum(planned.is_trained and planned.branch is not None for planned in self.cells)
        saved, total = self.saved_steps, max(self.saved_steps + self.num_steps, 1)
        share = f"{saved} of {total} steps ({saved / total:.0%})"
        return [f"{cells(count)} will branch from other cells, which saves {share} (branch=auto)"] if count else []

    def json(self) -> str:
        """Return the plan as JSON. `expected_s` is the time of all cells one after the other, null if it is unknown."""
        known = [estimate.wall_s for estimate in self._estimates if estimate is not None]
        content = {
            "format": FORMAT,
            "sweep": str(self.root),
            "counts": self._counts,
            "num_trained": len(self._estimates),
            "expected_s": sum(known) if len(known) == len(self._estimates) else None,
            "num_steps": self.num_steps,
            "saved_steps": self.saved_steps,
            "notes": list(self.notes),
            "cells": [planned.as_dict() | self._warning(planned.result.cell.hash) for planned in self.cells],
        }
        return json.dumps(content, indent=1, default=str)


def planned_cells(
    results: Sequence[Result],
    retry_failed: bool,
    estimate: Callable[[Cell], Estimate | None] | None = None,
    continued: Mapping[str, int] | None = None,
    branches: Mapping[str, Branch] | None = None,
) -> list[PlannedCell]:
    """Return what would be done with the cells.

    Args:
        results: the cells in their current states.
        retry_failed: True if failed cells will be trained again.
        estimate: estimates the cost of cells for which no finished cell is comparable.
        continued: step from which each cell continues that begins with the checkpoint of another one, by hash.
        branches: cells of the same sweep from whose state cells begin, by hash.
    """
    measured = _from_finished(results)
    planned = []
    for result in results:
        expected, step = None, _first_step(result, continued or {})
        trains = _is_open(result, retry_failed)
        if trains:
            expected = measured(result.cell) or (estimate(result.cell) if estimate else None)
            expected = expected and expected.of_rest(step or 0, result.cell.config.get("steps"))
        planned.append(PlannedCell(result, trains, step, expected, (branches or {}).get(result.cell.hash)))
    return planned


def _is_open(result: Result, retry_failed: bool) -> bool:
    """Return whether a cell will be trained; a dropped one only without a race."""
    if result.state is State.DROPPED:
        return not result.cell.in_race
    return result.state in (State.NEW, State.RESUMABLE) or (result.state is State.FAILED and retry_failed)


def _first_step(result: Result, continued: Mapping[str, int]) -> int | None:
    """Return the step of the checkpoint from which a cell continues, its own or another one's; None without one."""
    has_own = result.state is State.RESUMABLE or (result.state is State.DROPPED and not result.cell.in_race)
    own = checkpoint_step.read(result.cell.directory) if has_own else None
    return continued.get(result.cell.hash) if own is None else own


def _total(needed: Sequence[Estimate | None]) -> str:
    if not needed:
        return "Nothing is left to train."
    known = [estimate for estimate in needed if estimate is not None]
    if not known:
        return f"{len(needed)} to train; time and memory are measured by the first cell."
    memory = max((estimate.memory_bytes or 0 for estimate in known), default=0)
    most = f", {file_size(memory)} of memory at most" if memory else ""
    more = f" and {len(needed) - len(known)} of unknown length" if len(known) < len(needed) else ""
    return f"{len(needed)} to train, one after the other about {duration(sum(e.wall_s for e in known))}{more}{most}."


def _words(estimate: Estimate | None) -> str:
    if estimate is None:
        return ""
    memory = f", {file_size(estimate.memory_bytes)}" if estimate.memory_bytes else ""
    return f"{duration(estimate.wall_s)}{memory}"


def _from_finished(results: Sequence[Result]) -> Callable[[Cell], Estimate | None]:
    """Return an estimator that uses the median time per step of finished cells of the same kind, or of all."""
    times: dict[str, list[float]] = {}
    memories: dict[str, list[int]] = {}
    members: dict[str, list[int]] = {}
    for result in results:
        record = result.record or {}
        time = record.get("time") or {}
        if result.state is State.COMPLETED and time.get("wall_s") and record.get("steps"):
            for kind in ("", kind_of(result.cell.config)):
                times.setdefault(kind, []).append(time["wall_s"] / record["steps"])
                members.setdefault(kind, []).append((record.get("pack") or {}).get("members") or 1)
                if time.get("memory_bytes"):
                    memories.setdefault(kind, []).append(time["memory_bytes"])

    def estimate(cell: Cell) -> Estimate | None:
        kind, steps = kind_of(cell.config), cell.config.get("steps")
        seconds = times.get(kind) or times.get("")
        if not seconds or not isinstance(steps, (int, float)):
            return None
        together = statistics.median_low(members.get(kind) or members[""])
        return Estimate(statistics.median(seconds) * steps, max(memories.get(kind, []), default=None), together)

    return estimate


def kind_of(config: Mapping[str, Any]) -> str:
    """Return a text key of the settings that dominate the time of a step."""
    keys = ("model", "data", "dynamics", "batch_size", "precision", "critic_steps", "schedule_critic")
    return repr([config.get(key) for key in keys])


def kept_weights_size(sweep: Sequence[Cell]) -> list[str]:
    """Return one line with the total size of the weights that cells keep, none if they keep the last ones only."""
    keeping = [cell for cell in sweep if kept_weights(cell) != "last"]
    if not keeping:
        return []
    from gansweep.config.build import check
    from gansweep.training.run import Intervals

    runs = [run for cell in keeping if (run := cell.run or check(cell.config).run) is not None]
    counts = [
        1 if run.trainer.keep == "best" else len(Intervals(run.trainer, run.steps).evaluations(run.steps))
        for run in runs
    ]
    total = sum(count * kept.num_bytes(run) for count, run in zip(counts, runs, strict=True))
    return [f"trainer.keep: about {file_size(total)} for {sum(counts)} files with weights of {cells(len(runs))}"]
