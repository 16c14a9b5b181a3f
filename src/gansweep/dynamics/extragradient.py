"""Extragradient method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gansweep.dynamics.position import Position


@dataclass(frozen=True)
class ExtraGradient:
    """Extragradient: a step with the gradient at an extrapolated point.

        x' = x - lr v(x)
        x <- x - lr v(x')

    Korpelevich 1976; Gidel et al. 2019, arXiv:1802.10551, eqs. 12 and 13. With `optimizer=adam` it
    is ExtraAdam (algorithm 4 of Gidel et al.): both updates use Adam, and both gradients enter its
    moments. Both gradients are computed on the same batch ("ReExtra").
    """

    joint: ClassVar[bool] = True
    extrapolates: ClassVar[bool] = True

    def __call__(self, game: Position) -> None:
        """Extrapolate, restore the parameters, and apply the step."""
        here = game.here()
        game.descend(game.field())
        ahead = game.field()
        game.go_to(here)
        game.descend(ahead)
