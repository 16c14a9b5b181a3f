"""Cosine annealing with warm restarts (SGDR)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gansweep.interfaces import ArgumentConflict
from gansweep.schedules.pointwise import Pointwise


@dataclass(frozen=True)
class Restarts(Pointwise):
    """SGDR: cosine annealing from 1 towards `end` with warm restarts.

        end + (1 - end) (1 + cos(pi T_cur / T_i)) / 2,   T_i = T_0 multiplier^i

    T_cur is the number of steps since the start of cycle i. Loshchilov and Hutter 2017,
    arXiv:1608.03983, eq. 5; `torch.optim.lr_scheduler.CosineAnnealingWarmRestarts`. Unlike in `Cosine`,
    no step has the value `end`: T_cur = T_i is the first step of the next cycle. With `num_cycles`, a
    run of any length is divided into that many whole cycles.

    >>> Restarts(period=2, multiplier=2).values(7).round(2)
    array([1.  , 0.5 , 1.  , 0.85, 0.5 , 0.15, 1.  ])

    Args:
        period: T_0, steps of the first cycle; set either this or `num_cycles`.
        num_cycles: number of cycles in the run; the last one ends with the run.
        multiplier: length of a cycle divided by that of the previous one, the paper's T_mult; a
            whole number.
        end: multiplier at the end of a cycle.
    """

    period: int | None = None
    num_cycles: int | None = None
    multiplier: int = 1
    end: float = 0.0

    def __post_init__(self) -> None:
        if (self.period is None) == (self.num_cycles is None):
            message = (
                f"period={self.period}, num_cycles={self.num_cycles}: expected one of them, and null for the other"
            )
            raise ArgumentConflict(message, "period", "num_cycles")
        for name in ("period", "num_cycles", "multiplier"):
            value = getattr(self, name)
            if value is not None and not (1 <= value < math.inf and value == int(value)):
                raise ValueError(f"{name}={value}: expected a whole number >= 1")
        if not 0 <= self.end < math.inf:
            raise ValueError(f"end={self.end}: expected a number >= 0")

    def _units(self, num_cycles: int) -> int:
        """Return the total length of `num_cycles` cycles in units of the first cycle."""
        if self.multiplier == 1:
            return num_cycles
        return (self.multiplier**num_cycles - 1) // (self.multiplier - 1)

    def __call__(self, step: int, total_steps: int) -> float:
        """Return the multiplier in `step`."""
        # Integer arithmetic, because rounding could shift a restart. With num_cycles, the unit of
        # time is a fraction of a step.
        since, period = step, self.period or total_steps
        if self.num_cycles is not None:
            since *= self._units(self.num_cycles)
        if self.multiplier == 1:
            since %= period
        while since >= period:
            since, period = since - period, period * self.multiplier
        return self.end + (1 - self.end) * (1 + math.cos(math.pi * since / period)) / 2
