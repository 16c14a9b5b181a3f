"""Cosine annealing."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gansweep.schedules.pointwise import Pointwise, progress


@dataclass(frozen=True)
class Cosine(Pointwise):
    """Cosine annealing from 1 to `end`, both included.

        end + (1 - end) (1 + cos(pi k / (n - 1))) / 2

    in step k of n. Loshchilov and Hutter 2017, arXiv:1608.03983, eq. 5, without restarts;
    `torch.optim.lr_scheduler.CosineAnnealingLR` with T_max = n - 1.

    Args:
        end: multiplier of the last step; with 0 the last step changes no parameter.
    """

    end: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.end < math.inf:
            raise ValueError(f"end={self.end}: expected a number >= 0")

    def __call__(self, step: int, total_steps: int) -> float:
        """Return the multiplier in `step`."""
        return self.end + (1 - self.end) * (1 + math.cos(math.pi * progress(step, total_steps))) / 2
