"""Epoch-wise schedules."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gansweep.interfaces import Schedule
from gansweep.schedules.constant import Constant
from gansweep.schedules.pointwise import Pointwise


@dataclass(frozen=True)
class PerEpoch(Pointwise):
    """Epoch-wise schedule: each value of another schedule is used for one epoch.

        factor of(e, epochs),   e = floor(k epochs / n)

    in step k of n. With `steps_per_epoch`, the run must have exactly epochs * steps_per_epoch steps,
    because no value is defined after the last epoch. Without it, the curve is stretched to the length
    of the run.

    >>> from gansweep.schedules.linspace import Linspace
    >>> PerEpoch(Linspace(1, 0), epochs=3, steps_per_epoch=2).values(6)
    array([1. , 1. , 0.5, 0.5, 0. , 0. ])

    Args:
        of: the schedule, evaluated with epochs in place of steps.
        epochs: number of epochs.
        steps_per_epoch: steps of one epoch; null stretches the curve to the run.
        factor: factor of all values.
    """

    of: Schedule = Constant()
    epochs: int = 1
    steps_per_epoch: int | None = None
    factor: float = 1.0

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise ValueError(f"epochs={self.epochs}: expected a whole number >= 1")
        if self.steps_per_epoch is not None and self.steps_per_epoch < 1:
            raise ValueError(f"steps_per_epoch={self.steps_per_epoch}: expected a whole number >= 1, or null")
        if not 0 <= self.factor < math.inf:
            raise ValueError(f"factor={self.factor}: expected a number >= 0")
        self.of.check(self.epochs)

    def check(self, total_steps: int) -> None:
        """Raise ValueError if `steps_per_epoch` is set and the run has a different number of steps."""
        if self.steps_per_epoch is None:
            return
        end = self.epochs * self.steps_per_epoch
        if end != total_steps:
            shorter = "shorter" if end < total_steps else "longer"
            raise ValueError(
                f"epochs={self.epochs}: schedule {shorter} than the run, {self.steps_per_epoch} steps per epoch "
                f"are {end} steps, the run has {total_steps}; steps_per_epoch=null stretches the schedule"
            )

    def __call__(self, step: int, total_steps: int) -> float:
        """Return the value of the epoch that contains `step`."""
        self.check(total_steps)
        return self.factor * self.of(step * self.epochs // total_steps, self.epochs)
