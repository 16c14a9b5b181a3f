"""Consensus optimization (ConOpt)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from gansweep.dynamics.position import Position


@dataclass(frozen=True)
class Consensus:
    """Consensus optimization (ConOpt): gradient descent with a penalty on the norm of the game's gradient field.

        x <- x - lr (v(x) + gamma grad_x 1/2 || v(x) ||^2)

    Mescheder, Nowozin and Geiger 2017, "The Numerics of GANs", arXiv:1705.10461, algorithm 2. The
    penalty moves the eigenvalues of the game's Jacobian away from the imaginary axis. For large gamma
    every stationary point is attracting, including maxima of both losses.

    Args:
        gamma: weight of the penalty; the paper uses 10 for images.
    """

    gamma: float = 1.0
    joint: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 <= self.gamma < math.inf:
            raise ValueError(f"gamma={self.gamma}: expected a number >= 0")

    def __call__(self, game: Position) -> None:
        """Apply one step to both players."""
        v = game.field(create_graph=True)
        game.descend(v.detach() + game.vjp(v, v) * self.gamma)
