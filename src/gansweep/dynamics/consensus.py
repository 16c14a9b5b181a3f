"""A pull to where neither player wants to move."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from gansweep.dynamics.position import Position


@dataclass(frozen=True)
class Consensus:
    """Descend the gradients' size together with the losses.

        x <- x - lr (v(x) + gamma grad_x 1/2 || v(x) ||^2)

    Mescheder, Nowozin and Geiger 2017, "The Numerics of GANs", arXiv:1705.10461, algorithm 2 (ConOpt).
    It turns the eigenvalues of the game's Jacobian away from the imaginary axis. At large gamma it is
    attracted by any stationary point, a maximum of both players included.

    Args:
        gamma: weight of the pull; the paper uses 10 for images.
    """

    gamma: float = 1.0
    joint: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 <= self.gamma < math.inf:
            raise ValueError(f"gamma={self.gamma}: expected a number >= 0")

    def __call__(self, game: Position) -> None:
        """Take one step."""
        v = game.field(create_graph=True)
        game.descend(v.detach() + game.vjp(v, v) * self.gamma)
