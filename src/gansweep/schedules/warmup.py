"""Linear warm-up before another schedule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from gansweep.interfaces import Schedule
from gansweep.schedules.constant import Constant
from gansweep.schedules.pointwise import Pointwise, check_duration, num_steps


@dataclass(frozen=True)
class Warmup(Pointwise):
    """Linear warm-up to the first value of another schedule, which the rest of the run follows.

        (k + 1) / w * after(0, n - w)  in step k < w,   after(k - w, n - w)  from there

    Goyal et al. 2017, arXiv:1706.02677, section 2.2, "gradual warmup". The ramp starts at 1 / w
    instead of 0, because a step with learning rate 0 has no effect.

    >>> Warmup(length=4).values(6)
    array([0.25, 0.5 , 0.75, 1.  , 1.  , 1.  ])

    Args:
        length: w, a whole number of steps, or a fraction of the run if below 1.
        after: schedule of the remaining n - w steps; named `of` in configs.
    """

    length: float = 0.05
    after: Schedule = Constant()
    # `of` is the name in all other wrappers; records keep the older name `after`.
    ALIASES: ClassVar[Mapping[str, str]] = {"of": "after"}

    def __post_init__(self) -> None:
        check_duration("length", self.length)

    def check(self, total_steps: int) -> None:
        """Raise ValueError if the warm-up rounds to 0 or fills the run, or `after` does not fit."""
        warm = num_steps(self.length, total_steps)
        if warm < 1 and self.length > 0:
            raise ValueError(
                f"length={self.length}: rounds to 0 of {total_steps} steps, expected a whole number of steps, "
                "a larger fraction, or 0 for no warm-up"
            )
        rest = total_steps - warm
        if rest < 1:
            raise ValueError(f"length={self.length}: expected a warm-up shorter than the run of {total_steps} steps")
        self.after.check(rest)

    def __call__(self, step: int, total_steps: int) -> float:
        """Return the multiplier in `step`: the ramp, then the values of `after`."""
        warm = num_steps(self.length, total_steps)
        if step < warm:
            return (step + 1) / warm * self.after(0, total_steps - warm)
        return self.after(step - warm, total_steps - warm)
