"""Both players at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gansweep.dynamics.position import Position


@dataclass(frozen=True)
class Simultaneous:
    """Both players move from the same point.

        x <- x - lr v(x),   x = (theta, psi),   v = (grad_theta L_G, grad_psi L_D)

    Mescheder et al. 2017, arXiv:1705.10461, algorithm 1. On a game that circles, every step is one
    outwards: it diverges where the alternating one stays on a bounded orbit.
    """

    joint: ClassVar[bool] = True

    def __call__(self, game: Position) -> None:
        """Take one step."""
        game.descend(game.field())
