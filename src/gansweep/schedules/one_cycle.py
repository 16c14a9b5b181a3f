"""1cycle schedule."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from gansweep.schedules.pointwise import Pointwise

# Interpolation weight between the two ends of a phase, as a function of the fraction t of its
# duration.
INTERPOLATION = {"cos": lambda t: (1 - math.cos(math.pi * t)) / 2, "linear": lambda t: t}


@dataclass(frozen=True)
class OneCycle(Pointwise):
    """1cycle schedule: increase to 1, then decay to far below the initial value.

        1 / div_factor                        in step 0
        1                                     at p n - 1
        1 / (div_factor final_div_factor)     in step n - 1

    with p = `pct_start` and cosine or linear interpolation between. With three phases the multiplier
    returns to 1 / div_factor at step 2 p n - 2 before the final decay. Smith 2018, arXiv:1803.09820,
    section 4.1, uses three linear phases. This is `torch.optim.lr_scheduler.OneCycleLR` with
    max_lr = lr and cycle_momentum = False, so the optimizer's momentum does not change. If the
    increasing phase has one step or less, the run begins at 1; PyTorch divides by zero in this case.

    >>> OneCycle(pct_start=0.5, anneal_strategy="linear", div_factor=4, final_div_factor=1).values(8)
    array([0.25  , 0.5   , 0.75  , 1.    , 0.8125, 0.625 , 0.4375, 0.25  ])

    Args:
        pct_start: fraction (not percentage) of the run until the highest learning rate.
        anneal_strategy: interpolation, `cos` or `linear`.
        div_factor: highest multiplier divided by the first.
        final_div_factor: first multiplier divided by the last.
        three_phase: decrease symmetrically to the initial value before the final decay.
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
        if self.anneal_strategy not in INTERPOLATION:
            raise ValueError(f"anneal_strategy={self.anneal_strategy}: expected one of {', '.join(INTERPOLATION)}")
        for name in ("div_factor", "final_div_factor"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name}={getattr(self, name)}: expected a number > 0")

    def _corners(self, total_steps: int) -> list[tuple[float, float]]:
        """Return the boundaries of the phases as pairs of step and multiplier."""
        low = 1 / self.div_factor
        corners = [(max(0.0, self.pct_start * total_steps - 1), 1.0)]
        if self.three_phase:
            corners.append((max(0.0, 2 * self.pct_start * total_steps - 2), low))
        return [(0.0, low), *corners, (total_steps - 1, low / self.final_div_factor)]

    def __call__(self, step: int, total_steps: int) -> float:
        """Return the multiplier in `step`, interpolated within its phase."""
        corners = self._corners(total_steps)
        begin, start = corners[0]
        for end, goal in corners[1:]:
            if step <= end:
                weight = INTERPOLATION[self.anneal_strategy]((step - begin) / (end - begin)) if end > begin else 1.0
                return (1 - weight) * start + weight * goal
            begin, start = end, goal
        raise ValueError(f"step={step}: expected a step below total_steps={total_steps}")
