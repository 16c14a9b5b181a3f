"""Warmup-stable-decay schedule (WSD)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gansweep.schedules.pointwise import Pointwise, check_duration, num_steps


@dataclass(frozen=True)
class WSD(Pointwise):
    """WSD (warmup-stable-decay): linear warm-up, constant learning rate, final cooldown.

        (k + 1) / w                              in step k < w
        1                                        while w <= k < n - c
        end + (1 - end) (1 - t^power)            from there, t = (k - (n - c)) / c

    Hu et al. 2024 (MiniCPM), arXiv:2404.06395, section 4.2. The cooldown is that of Hägele et al.
    2024, arXiv:2405.18392, section 3: power 1/2 is their "1-sqrt", 1 their linear cooldown, 2 their
    "1-square". As in the paper, the first step of the cooldown has the value 1, and `end` would be
    reached at step n, one step after the last. The warm-up starts at 1 / w, as in `Warmup`.

    >>> WSD(warmup=2, cooldown=4).values(8).round(2)
    array([0.5 , 1.  , 1.  , 1.  , 1.  , 0.5 , 0.29, 0.13])

    Args:
        warmup: w, a whole number of steps, or a fraction of the run if below 1.
        cooldown: c, a whole number of steps, or a fraction of the run if below 1.
        power: exponent of the cooldown; below 1 it is steepest at the beginning.
        end: multiplier at the end of the cooldown.
    """

    warmup: float = 0.05
    cooldown: float = 0.2
    power: float = 0.5
    end: float = 0.0

    def __post_init__(self) -> None:
        check_duration("warmup", self.warmup)
        check_duration("cooldown", self.cooldown)
        if not 0 < self.power < math.inf:
            raise ValueError(f"power={self.power}: expected a number > 0")
        if not 0 <= self.end < math.inf:
            raise ValueError(f"end={self.end}: expected a number >= 0")

    def check(self, total_steps: int) -> None:
        """Raise ValueError if warm-up and cooldown together are longer than the run."""
        if num_steps(self.warmup, total_steps) + num_steps(self.cooldown, total_steps) > total_steps:
            raise ValueError(
                f"warmup={self.warmup}: expected no more than the run's {total_steps} steps "
                f"together with cooldown={self.cooldown}"
            )

    def __call__(self, step: int, total_steps: int) -> float:
        """Return the multiplier in `step`."""
        warmup, cooldown = num_steps(self.warmup, total_steps), num_steps(self.cooldown, total_steps)
        if step < warmup:
            return (step + 1) / warmup
        if step < total_steps - cooldown:
            return 1.0
        t = (step - (total_steps - cooldown)) / cooldown
        return self.end + (1 - self.end) * (1 - t**self.power)
