"""Schedules that take the same total step."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from gansweep.interfaces import Schedule
from gansweep.schedules.constant import Constant
from gansweep.schedules.pointwise import Pointwise


@dataclass(frozen=True)
class EqualArea(Pointwise):
    """Divide another schedule by its mean over the run.

        of(k, n) / m,   m = (of(0, n) + ... + of(n - 1, n)) / n

    in step k of n. The multipliers of a run then sum to n, whatever the schedule. Two runs at one
    `lr` differ in the shape of their rates alone, whereas `Linspace(1, 0)` by itself also has half
    the area of `Constant`. Multipliers above 1 are the price. Around a `Warmup` the warm-up counts too.

    >>> from gansweep.schedules.linspace import Linspace
    >>> EqualArea(Linspace(1, 0)).values(5)
    array([2. , 1.5, 1. , 0.5, 0. ])

    Args:
        of: the schedule.
    """

    of: Schedule = Constant()
    # A run asks in every step for the mean over all steps. It is no part of what the schedule is.
    _means: dict[int, float] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __getstate__(self) -> dict[str, object]:
        return {"of": self.of, "_means": {}}

    def check(self, total_steps: int) -> None:
        """Raise ValueError unless the schedule fits the run and moves something in it."""
        self.of.check(total_steps)
        if not any(self.of(step, total_steps) > 0 for step in range(total_steps)):
            raise ValueError(f"of={self.of}: expected a multiplier above 0 in one of the run's {total_steps} steps")

    def mean(self, total_steps: int) -> float:
        """Return the mean m, computed once for each length of a run."""
        if total_steps not in self._means:
            values = (self.of(step, total_steps) for step in range(total_steps))
            self._means[total_steps] = math.fsum(values) / total_steps
        return self._means[total_steps]

    def __call__(self, step: int, total_steps: int) -> float:
        """Return the schedule's value over its mean."""
        return self.of(step, total_steps) / self.mean(total_steps)
