"""A rate that falls along half a cosine again and again."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gansweep.schedules.pointwise import Pointwise


@dataclass(frozen=True)
class Restarts(Pointwise):
    """Cycles of half a cosine from 1 towards `end`, each `multiplier` times as long as the one before.

        end + (1 - end) (1 + cos(pi T_cur / T_i)) / 2,   T_i = T_0 multiplier^i

    T_cur is the number of steps since cycle i began. Loshchilov and Hutter 2017,
    arXiv:1608.03983, eq. 5; `torch.optim.lr_scheduler.CosineAnnealingWarmRestarts`. `end` itself
    would be reached in step T_i, where the next cycle has begun already, so unlike `Cosine` no
    step has it. The second form divides a run of any length into `num_cycles` whole cycles.

    >>> Restarts(period=2, multiplier=2).values(7).round(2)
    array([1.  , 0.5 , 1.  , 0.85, 0.5 , 0.15, 1.  ])

    Args:
        period: T_0, steps of the first cycle; give this or `num_cycles`.
        num_cycles: cycles of the whole run, the last of which ends with it.
        multiplier: the paper's T_mult, a whole number.
        end: multiplier of the rate that a cycle falls to.
    """

    period: int | None = None
    num_cycles: int | None = None
    multiplier: int = 1
    end: float = 0.0

    def __post_init__(self) -> None:
        if (self.period is None) == (self.num_cycles is None):
            raise ValueError(
                f"period={self.period}, num_cycles={self.num_cycles}: expected one of them, and null for the other"
            )
        for name in ("period", "num_cycles", "multiplier"):
            value = getattr(self, name)
            if value is not None and not (1 <= value < math.inf and value == int(value)):
                raise ValueError(f"{name}={value}: expected a whole number >= 1")
        if not 0 <= self.end < math.inf:
            raise ValueError(f"end={self.end}: expected a number >= 0")

    def _units(self, num_cycles: int) -> int:
        """Count how many first cycles are as long as the first `num_cycles` together."""
        if self.multiplier == 1:
            return num_cycles
        return (self.multiplier**num_cycles - 1) // (self.multiplier - 1)

    def __call__(self, step: int, total_steps: int) -> float:
        """Return the point of the cosine that `step` lies on."""
        # In whole numbers, because a restart is a jump: with n cycles time is counted in parts of a step.
        since, period = step, self.period or total_steps
        if self.num_cycles is not None:
            since *= self._units(self.num_cycles)
        if self.multiplier == 1:
            since %= period
        while since >= period:
            since, period = since - period, period * self.multiplier
        return self.end + (1 - self.end) * (1 + math.cos(math.pi * since / period)) / 2
