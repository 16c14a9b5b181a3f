"""Inverse square root schedule."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gansweep.schedules.pointwise import Pointwise, check_duration, num_steps


@dataclass(frozen=True)
class InverseSqrt(Pointwise):
    """Inverse square root schedule with linear warm-up ("Noam").

        min(s / w, sqrt(w / s)),   s = k + 1

    in step k. Vaswani et al. 2017, arXiv:1706.03762, eq. 3, divided by its maximum (d_model w)^(-1/2),
    which is reached at s = w. `lr` is therefore the highest learning rate. With a warm-up in steps the
    curve does not depend on the length of the run.

    >>> InverseSqrt(warmup=4).values(16)[[0, 1, 2, 3, 15]]
    array([0.25, 0.5 , 0.75, 1.  , 0.5 ])

    Args:
        warmup: w, a whole number of steps, or a fraction of the run if below 1; rounded to whole
            steps, at least 1.
    """

    warmup: float = 0.05

    def __post_init__(self) -> None:
        check_duration("warmup", self.warmup)
        if self.warmup == 0:
            raise ValueError("warmup=0: expected at least one step; warmup=1 gives no warm-up")

    def check(self, total_steps: int) -> None:
        """Raise ValueError if the warm-up is longer than the run."""
        if num_steps(self.warmup, total_steps) > total_steps:
            raise ValueError(f"warmup={self.warmup}: expected no more than the run's {total_steps} steps")

    def __call__(self, step: int, total_steps: int) -> float:
        """Return min(s / w, sqrt(w / s)) for s = step + 1."""
        warm = max(1, num_steps(self.warmup, total_steps))
        return min((step + 1) / warm, math.sqrt(warm / (step + 1)))
