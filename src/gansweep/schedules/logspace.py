"""Log-linear schedule."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gansweep.schedules.pointwise import Pointwise, progress


@dataclass(frozen=True)
class Logspace(Pointwise):
    """Log-linear (geometric) schedule from 10^start to 10^end, both included, as `numpy.logspace`.

        10^(start + (end - start) k / (n - 1))

    in step k of n. A run of a single step has 10^start.

    >>> Logspace(0, -2).values(3)
    array([1.  , 0.1 , 0.01])

    Args:
        start: exponent of the first step.
        end: exponent of the last step.
    """

    start: float = 0.0
    end: float = -2.0

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            if not -300 <= getattr(self, name) <= 300:
                raise ValueError(f"{name}={getattr(self, name)}: expected an exponent of 10 from -300 to 300")

    def __call__(self, step: int, total_steps: int) -> float:
        """Return the multiplier in `step`."""
        return math.pow(10.0, self.start + (self.end - self.start) * progress(step, total_steps))
