"""Step decay."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gansweep.interfaces import ArgumentConflict
from gansweep.schedules.pointwise import Pointwise


@dataclass(frozen=True)
class Step(Pointwise):
    """Step decay by the factor `gamma` every `period` steps, as `torch.optim.lr_scheduler.StepLR`.

        gamma^floor(k / period),   or gamma^floor(k (num_drops + 1) / n)

    in step k of n. The second form has `num_drops` drops in a run of any length.

    >>> Step(gamma=0.5, num_drops=2).values(6)
    array([1.  , 1.  , 0.5 , 0.5 , 0.25, 0.25])

    Args:
        gamma: decay factor per drop.
        period: steps between drops; set either this or `num_drops`.
        num_drops: number of drops in the run, equally spaced.
    """

    gamma: float = 0.1
    period: int | None = None
    num_drops: int | None = None

    def __post_init__(self) -> None:
        if not 0 < self.gamma < math.inf:
            raise ValueError(f"gamma={self.gamma}: expected a number > 0")
        if (self.period is None) == (self.num_drops is None):
            message = f"period={self.period}, num_drops={self.num_drops}: expected one of them, and null for the other"
            raise ArgumentConflict(message, "period", "num_drops")
        if self.period is not None and self.period < 1:
            raise ValueError(f"period={self.period}: expected a whole number >= 1")
        if self.num_drops is not None and self.num_drops < 0:
            raise ValueError(f"num_drops={self.num_drops}: expected a whole number >= 0")

    def __call__(self, step: int, total_steps: int) -> float:
        """Return gamma^d, where d is the number of drops before or at `step`."""
        if self.period is not None:
            return self.gamma ** (step // self.period)
        return self.gamma ** (step * ((self.num_drops or 0) + 1) // total_steps)
