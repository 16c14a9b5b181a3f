"""Polynomial decay."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gansweep.schedules.pointwise import Pointwise, progress


@dataclass(frozen=True)
class Polynomial(Pointwise):
    """Polynomial decay from 1 to `end`, both included ("poly").

        end + (1 - end) (1 - k / (n - 1))^power

    in step k of n. Chen et al. 2016 (DeepLab), arXiv:1606.00915, section 4.1.2, with power 0.9;
    `torch.optim.lr_scheduler.PolynomialLR` with total_iters = n - 1. At power 1 it is `Linspace`.

    >>> Polynomial(power=2).values(5)
    array([1.    , 0.5625, 0.25  , 0.0625, 0.    ])

    Args:
        power: exponent; above 1 the decay is steepest at the beginning, below 1 at the end.
        end: multiplier of the last step; with 0 the last step changes no parameter.
    """

    power: float = 0.9
    end: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.power < math.inf:
            raise ValueError(f"power={self.power}: expected a number > 0")
        if not 0 <= self.end < math.inf:
            raise ValueError(f"end={self.end}: expected a number >= 0")

    def __call__(self, step: int, total_steps: int) -> float:
        """Return the multiplier in `step`."""
        return self.end + (1 - self.end) * (1 - progress(step, total_steps)) ** self.power
