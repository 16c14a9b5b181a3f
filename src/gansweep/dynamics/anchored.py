"""Extra anchored gradient methods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from gansweep.dynamics.position import Position


@dataclass(frozen=True)
class Anchored:
    """Extra anchored gradient (EAG): extragradient with a decreasing pull towards the initial parameters x_0.

        x' = x + (x_0 - x) / (t + 1) - lr v(x),   t = 1 in the first step
        x <- x + (x_0 - x) / (t + 1) - lr v(x')

    Yoon and Ryu 2021, arXiv:2102.07922, EAG-C; the paper counts k = t - 1. On smooth convex-concave games, the squared
    norm of v decreases as 1 / t^2, which is optimal; it is O(1 / t) for extragradient. With `past`, v(x) is replaced by
    v(x') of the previous step (anchored Popov method, Tran-Dinh and Luo 2021, arXiv:2106.03859), which halves the cost.
    The pull is not passed to the optimizers, and is the same with every one.

    Args:
        past: extrapolate with the gradient of the previous extrapolated point.
    """

    past: bool = False
    joint: ClassVar[bool] = True
    extrapolates: ClassVar[bool] = True
    autonomous: ClassVar[bool] = False

    @property
    def remembers(self) -> tuple[str, ...]:
        """Vectors that are stored between steps."""
        return ("anchor", "gradient") if self.past else ("anchor",)

    def __call__(self, game: Position) -> None:
        """Extrapolate with the pull, restore the parameters, and apply the step with the pull."""
        here, step = game.here(), game.step
        anchor = here.map(lambda x, stored: torch.where(step == 1, x, stored), game.recall("anchor"))
        game.remember("anchor", anchor)
        pull = (anchor - here) * (1 / (step + 1)).to(here.parts[0].dtype)
        game.descend(game.recall("gradient") if self.past else game.field())
        game.go_to(game.here() + pull)
        ahead = game.field()
        if self.past:
            game.remember("gradient", ahead)
        game.go_to(here)
        game.descend(ahead)
        game.go_to(game.here() + pull)
