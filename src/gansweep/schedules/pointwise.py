"""Base class of schedules that are defined by their value in one step."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


class Pointwise:
    """Base class of schedules defined by `__call__`; by default they fit runs of any length."""

    def __call__(self, step: int, total_steps: int) -> float:
        """Return the multiplier in `step`, 0 <= step < total_steps."""
        raise NotImplementedError

    def check(self, total_steps: int) -> None:
        """Raise ValueError if the schedule does not fit a run of `total_steps`."""

    def values(self, total_steps: int) -> np.ndarray:
        """Return the multipliers of all steps, float64 (total_steps,)."""
        # Imported here: checking the settings does not need numpy, whose import takes half as long as the check.
        import numpy as np

        return np.array([self(step, total_steps) for step in range(total_steps)], dtype=np.float64)


def progress(step: int, total_steps: int) -> float:
    """Return the progress of the run, 0 in the first step and 1 in the last one.

    >>> [progress(step, 5) for step in range(5)]
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    return step / (total_steps - 1) if total_steps > 1 else 0.0
