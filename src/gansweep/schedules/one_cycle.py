"""A rate that rises and then falls far below its beginning."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from gansweep.schedules.pointwise import Pointwise

# How far of the way from one rate to the next after a part t of the time.
WAY = {"cos": lambda t: (1 - math.cos(math.pi * t)) / 2, "linear": lambda t: t}


@dataclass(frozen=True)
class OneCycle(Pointwise):
    """Rise to 1, and fall from there to far below where it began: "1cycle".

        1 / div_factor                        in step 0
        1                                     at p n - 1
        1 / (div_factor final_div_factor)     in step n - 1

    with p = `pct_start` and half a cosine or a line between. With three phases the rate is back
    at 1 / div_factor at 2 p n - 2, before it falls further. Smith 2018, arXiv:1803.09820, section
    4.1, has three phases of lines. This is `torch.optim.lr_scheduler.OneCycleLR` with max_lr = lr
    and cycle_momentum = False: the momentum stays what the optimizer says. Where the rise has a
    step or less, the run begins at 1; torch divides by zero there.

    >>> OneCycle(pct_start=0.5, anneal_strategy="linear", div_factor=4, final_div_factor=1).values(8)
    array([0.25  , 0.5   , 0.75  , 1.    , 0.8125, 0.625 , 0.4375, 0.25  ])

    Args:
        pct_start: fraction of the run until the highest rate; despite its name no percentage.
        anneal_strategy: what lies between, half a cosine or a line.
        div_factor: what the first rate is smaller by than the highest.
        final_div_factor: what the last rate is smaller by than the first.
        three_phase: fall as fast as it rose, and only then further.
    """

    pct_start: float = 0.3
    anneal_strategy: Literal["cos", "linear"] = "cos"
    div_factor: float = 25.0
    final_div_factor: float = 1e4
    three_phase: bool = False

    def __post_init__(self) -> None:
        most = 0.5 if self.three_phase else 1.0
        if not 0 <= self.pct_start <= most:
            phases = " with three phases" if self.three_phase else ""
            raise ValueError(f"pct_start={self.pct_start}: expected a fraction from 0 to {most:g}{phases}")
        if self.anneal_strategy not in WAY:
            raise ValueError(f"anneal_strategy={self.anneal_strategy}: expected one of {', '.join(WAY)}")
        for name in ("div_factor", "final_div_factor"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name}={getattr(self, name)}: expected a number > 0")

    def _corners(self, total_steps: int) -> list[tuple[float, float]]:
        """Return the ends of the phases, as the step and the multiplier there."""
        low = 1 / self.div_factor
        corners = [(max(0.0, self.pct_start * total_steps - 1), 1.0)]
        if self.three_phase:
            corners.append((max(0.0, 2 * self.pct_start * total_steps - 2), low))
        return [(0.0, low), *corners, (total_steps - 1, low / self.final_div_factor)]

    def __call__(self, step: int, total_steps: int) -> float:
        """Return the point of the phase that `step` lies in."""
        corners = self._corners(total_steps)
        begin, start = corners[0]
        for end, goal in corners[1:]:
            if step <= end:
                way = WAY[self.anneal_strategy]((step - begin) / (end - begin)) if end > begin else 1.0
                return (1 - way) * start + way * goal
            begin, start = end, goal
        raise ValueError(f"step={step}: expected one of the run's {total_steps}")
