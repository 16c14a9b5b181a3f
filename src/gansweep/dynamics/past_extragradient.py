"""Extragradient with extrapolation from the past."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gansweep.dynamics.position import Position


@dataclass(frozen=True)
class PastExtraGradient:
    """Extrapolation from the past: extragradient with the gradient of the previous extrapolated point.

        x' = x - lr v(x'_previous),   x' = x in the first step
        x <- x - lr v(x')

    Popov 1980; Gidel et al. 2019, arXiv:1802.10551, eqs. 15 and 16. It costs one gradient per step, half of
    `ExtraGradient`. With gradient descent, x' follows the optimistic method, x' <- x' - 2 lr v(x') + lr v(x'_previous).
    With `optimizer=adam` it is ExtraAdam with extrapolation from the past (algorithm 4): both updates use Adam, and
    every gradient enters its moments twice. nuPI (Sohrabi et al. 2024, arXiv:2406.04558) contains this method as a
    special case.
    """

    joint: ClassVar[bool] = True
    extrapolates: ClassVar[bool] = True
    remembers: ClassVar[tuple[str, ...]] = ("gradient",)

    def __call__(self, game: Position) -> None:
        """Extrapolate with the stored gradient, restore the parameters, and apply the step."""
        here = game.here()
        game.descend(game.recall("gradient"))
        ahead = game.field()
        game.remember("gradient", ahead)
        game.go_to(here)
        game.descend(ahead)
