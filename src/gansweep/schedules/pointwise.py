"""Base class of schedules defined by their value in one step; durations of phases."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


import math


class Pointwise:
    """Base class of schedules defined by `__call__`; by default they fit runs of any length."""

    def __call__(self, step: int, total_steps: int) -> float:
        """Return the multiplier in `step`, 0 <= step < total_steps."""
        raise NotImplementedError

    def check(self, total_steps: int) -> None:
        """Raise ValueError if the schedule does not fit a run of `total_steps`."""

    def values(self, total_steps: int) -> np.ndarray:
        """Return the multipliers of all steps, float64 (total_steps,)."""
        # Imported here: checking the settings does not need numpy, whose import takes half as long
        # as the check.
        import numpy as np

        return np.array([self(step, total_steps) for step in range(total_steps)], dtype=np.float64)


def progress(step: int, total_steps: int) -> float:
    """Return the progress of the run, 0 in the first step and 1 in the last one.

    >>> [progress(step, 5) for step in range(5)]
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    return step / (total_steps - 1) if total_steps > 1 else 0.0


def check_duration(name: str, length: float) -> None:
    """Raise ValueError unless `length` is a whole number of steps, or a fraction from 0 to 1."""
    if not 0 <= length < math.inf or (length >= 1 and length != int(length)):
        raise ValueError(f"{name}={length}: expected a whole number of steps, or a fraction from 0 to 1")


def num_steps(length: float, total_steps: int) -> int:
    """Return a duration in steps; fractions of the run are rounded to whole steps.

    >>> num_steps(50, 200), num_steps(0.1, 200)
    (50, 20)
    """
    return round(length * total_steps) if length < 1 else int(length)
