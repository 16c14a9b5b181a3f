"""Number of first steps in which all schedules of two runs have the same values."""

from __future__ import annotations

import math

import numpy as np

from gansweep.interfaces import Schedule
from gansweep.training.continuation import schedules
from gansweep.training.run import Run

CHUNK = 256  # steps; most schedules differ early, so that few values have to be computed


class SharedSteps:
    """Function that returns in how many first steps two runs have the same values of every schedule.

    The runs are those of cells that differ in steps and schedules only. The values of each schedule are computed once.
    """

    def __init__(self) -> None:
        self._schedules: dict[int, tuple[Run, dict[str, Schedule | None]]] = {}  # by id of the run
        self._known: list[tuple[Schedule, int, list[np.ndarray]]] = []

    def __call__(self, run: Run, other: Run) -> int:
        """Return the number of shared steps, at most the length of the shorter run."""
        first, second = self._of(run), self._of(other)
        until = min(run.steps, other.steps)
        for name in first | second:
            until = self._first_difference(first.get(name), run.steps, second.get(name), other.steps, until)
        return until

    def _of(self, run: Run) -> dict[str, Schedule | None]:
        if id(run) not in self._schedules:
            self._schedules[id(run)] = run, schedules(run)
        return self._schedules[id(run)][1]

    def _first_difference(
        self, schedule: Schedule | None, total_steps: int, other: Schedule | None, other_total: int, until: int
    ) -> int:
        """Return the first step below `until` in which two schedules differ, `until` if there is none."""
        if schedule is None or other is None:
            return until if schedule is other else 0
        if total_steps == other_total and schedule == other:
            return until
        for number in range(math.ceil(until / CHUNK)):
            values = self._chunk(schedule, total_steps, number)
            others = self._chunk(other, other_total, number)
            common = min(len(values), len(others))
            different = np.flatnonzero(values[:common] != others[:common])
            if different.size:
                return min(until, number * CHUNK + int(different[0]))
        return until

    def _chunk(self, schedule: Schedule, total_steps: int, number: int) -> np.ndarray:
        """Return the values of the steps from number * CHUNK on, at most CHUNK of them."""
        known = (chunks for other, length, chunks in self._known if length == total_steps and other == schedule)
        chunks = next(known, None)
        if chunks is None:
            chunks = list[np.ndarray]()
            self._known.append((schedule, total_steps, chunks))
        while len(chunks) <= number:
            start = len(chunks) * CHUNK
            steps = range(start, min(start + CHUNK, total_steps))
            chunks.append(np.array([schedule(step, total_steps) for step in steps], dtype=np.float64))
        return chunks[number]
