"""Simultaneous gradient descent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gansweep.dynamics.position import Position


@dataclass(frozen=True)
class Simultaneous:
    """Simultaneous gradient descent: both players are updated from the same point.

        x <- x - lr v(x),   x = (theta, psi),   v = (grad_theta L_G, grad_psi L_D)

    Mescheder et al. 2017, arXiv:1705.10461, algorithm 1. In games with rotational dynamics every step
    increases the distance to the equilibrium: simultaneous updates diverge where alternating updates
    stay on a bounded orbit.
    """

    joint: ClassVar[bool] = True

    def __call__(self, game: Position) -> None:
        """Apply one step to both players."""
        game.descend(game.field())
