"""Normalisation of a schedule to mean 1."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from gansweep.interfaces import Schedule
from gansweep.schedules.constant import Constant
from gansweep.schedules.pointwise import Pointwise


@dataclass(frozen=True)
class EqualArea(Pointwise):
    """Normalised schedule: another schedule divided by its mean over the run.

        of(k, n) / m,   m = (of(0, n) + ... + of(n - 1, n)) / n

    in step k of n. The multipliers sum to n for every schedule `of`, so runs with the same `lr` differ
    only in the shape of the curve. Without normalisation, `Linspace(1, 0)` has half the area of
    `Constant`. Multipliers may exceed 1. If `of` is a `Warmup`, the mean includes the warm-up.

    >>> from gansweep.schedules.linspace import Linspace
    >>> EqualArea(Linspace(1, 0)).values(5)
    array([2. , 1.5, 1. , 0.5, 0. ])

    Args:
        of: the schedule to normalise.
    """

    of: Schedule = Constant()
    # Cache: every step needs the mean over all steps. Excluded from comparison and pickling.
    _means: dict[int, float] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __getstate__(self) -> dict[str, object]:
        return {"of": self.of, "_means": {}}

    def check(self, total_steps: int) -> None:
        """Raise ValueError unless `of` fits the run and has a multiplier above 0 in some step."""
        self.of.check(total_steps)
        if not any(self.of(step, total_steps) > 0 for step in range(total_steps)):
            raise ValueError(f"of={self.of}: expected a multiplier above 0 in one of the run's {total_steps} steps")

    def mean(self, total_steps: int) -> float:
        """Return the mean m over `total_steps` steps, cached per run length."""
        if total_steps not in self._means:
            values = (self.of(step, total_steps) for step in range(total_steps))
            self._means[total_steps] = math.fsum(values) / total_steps
        return self._means[total_steps]

    def __call__(self, step: int, total_steps: int) -> float:
        """Return the multiplier of `of` in `step`, divided by its mean."""
        return self.of(step, total_steps) / self.mean(total_steps)
