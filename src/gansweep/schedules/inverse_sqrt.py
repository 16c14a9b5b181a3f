"""A rate that falls with the root of the number of steps."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gansweep.schedules.pointwise import Pointwise
from gansweep.schedules.stretch import check_stretch, num_steps


@dataclass(frozen=True)
class InverseSqrt(Pointwise):
    """Rise in equal differences, then fall with the inverse root of the step: "Noam".

        min(s / w, sqrt(w / s)),   s = k + 1

    in step k. Vaswani et al. 2017, arXiv:1706.03762, eq. 3, divided by its highest value
    (d_model w)^(-1/2), which step s = w has: here `lr` is the highest rate. Given in steps, the
    warm-up makes the curve independent of the length of the run.

    >>> InverseSqrt(warmup=4).values(16)[[0, 1, 2, 3, 15]]
    array([0.25, 0.5 , 0.75, 1.  , 0.5 ])

    Args:
        warmup: w, a whole number of steps, or a fraction of the run where it is below 1, which is
            rounded, but to no less than one step.
    """

    warmup: float = 0.05

    def __post_init__(self) -> None:
        check_stretch("warmup", self.warmup)
        if self.warmup == 0:
            raise ValueError("warmup=0: expected one step at least, which is no warm-up: warmup=1")

    def check(self, total_steps: int) -> None:
        """Raise ValueError if the run ends before the highest rate."""
        if num_steps(self.warmup, total_steps) > total_steps:
            raise ValueError(f"warmup={self.warmup}: expected no more than the run's {total_steps} steps")

    def __call__(self, step: int, total_steps: int) -> float:
        """Return the rise or the fall, whichever is lower."""
        warm = max(1, num_steps(self.warmup, total_steps))
        return min((step + 1) / warm, math.sqrt(warm / (step + 1)))
