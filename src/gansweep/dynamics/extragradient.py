"""A look ahead before every step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gansweep.dynamics.position import Position


@dataclass(frozen=True)
class ExtraGradient:
    """Step by the gradient of the point where a step would lead.

        x' = x - lr v(x)
        x <- x - lr v(x')

    Korpelevich 1976; Gidel et al. 2019, arXiv:1802.10551, eqs. 12 and 13. With `optimizer=adam` it
    is ExtraAdam (algorithm 4 there): both moves are Adam's, and both gradients enter its moments.
    Both gradients are those of one batch ("ReExtra" takes it again in the second move).
    """

    joint: ClassVar[bool] = True

    def __call__(self, game: Position) -> None:
        """Look ahead, come back, step."""
        here = game.here()
        game.descend(game.field())
        ahead = game.field()
        game.go_to(here)
        game.descend(ahead)
