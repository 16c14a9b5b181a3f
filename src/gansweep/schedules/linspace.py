"""Linear schedule."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gansweep.schedules.pointwise import Pointwise, progress


@dataclass(frozen=True)
class Linspace(Pointwise):
    """Linear schedule from `start` to `end`, both included, as `numpy.linspace`.

        start + (end - start) k / (n - 1)

    in step k of n. A run of a single step has `start`.

    >>> Linspace(1.0, 0.0).values(5)
    array([1.  , 0.75, 0.5 , 0.25, 0.  ])

    Args:
        start: multiplier of the first step.
        end: multiplier of the last step.
    """

    start: float = 1.0
    end: float = 0.01

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name}={getattr(self, name)}: expected a number >= 0")

    def __call__(self, step: int, total_steps: int) -> float:
        """Return the multiplier in `step`."""
        t = progress(step, total_steps)
        return (1 - t) * self.start + t * self.end
