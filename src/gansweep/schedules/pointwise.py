"""What every schedule answers in the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


class Pointwise:
    """A schedule told by its value at one step, which fits a run of any length."""

    def __call__(self, step: int, total_steps: int) -> float:
        """Return the multiplier in force during `step`."""
        raise NotImplementedError

    def check(self, total_steps: int) -> None:
        """Raise ValueError if a run of `total_steps` can't follow it."""

    def values(self, total_steps: int) -> np.ndarray:
        """Return the multipliers of all steps, float64 (total_steps,)."""
        # Settings are checked without the import of numpy, which is half as long as the check.
        import numpy as np

        return np.array([self(step, total_steps) for step in range(total_steps)], dtype=np.float64)


def progress(step: int, total_steps: int) -> float:
    """Return how much of the run is over, 0 in the first step and 1 in the last one.

    >>> [progress(step, 5) for step in range(5)]
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    return step / (total_steps - 1) if total_steps > 1 else 0.0
