"""Exponential decay."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gansweep.schedules.pointwise import Pointwise, check_duration


@dataclass(frozen=True)
class Exponential(Pointwise):
    """Exponential decay by the factor `gamma` per `period`.

        gamma^(k / T)

    in step k, where T is `period` in steps, or that fraction of the run's n steps. With period=1 it is
    `torch.optim.lr_scheduler.ExponentialLR`. With a period in steps the curve does not depend on the
    length of the run. `Logspace` is the same curve, parametrised by its first and last value. `Step`
    is the piecewise constant variant.

    >>> Exponential(gamma=0.25, period=2).values(5)
    array([1.    , 0.5   , 0.25  , 0.125 , 0.0625])

    Args:
        gamma: decay factor per period.
        period: T, a whole number of steps, or a fraction of the run if below 1.
    """

    gamma: float = 0.1
    period: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.gamma < math.inf:
            raise ValueError(f"gamma={self.gamma}: expected a number > 0")
        check_duration("period", self.period)
        if self.period == 0:
            raise ValueError("period=0: expected a number > 0")

    def check(self, total_steps: int) -> None:
        """Raise ValueError if the multiplier overflows within the run."""
        try:
            self(total_steps - 1, total_steps)
        except OverflowError:
            raise ValueError(
                f"gamma={self.gamma}: too large for {total_steps} steps with period={self.period}"
            ) from None

    def __call__(self, step: int, total_steps: int) -> float:
        """Return gamma^(step / T)."""
        period = self.period * total_steps if self.period < 1 else self.period
        return self.gamma ** (step / period)
