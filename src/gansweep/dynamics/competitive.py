"""Each player's best answer to the other's best answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch

from gansweep.dynamics.position import Both, Position


@dataclass(frozen=True)
class Competitive:
    """Competitive gradient descent: the Nash equilibrium of the game's local bilinear approximation.

        (dtheta, dpsi) = -(I + N)^-1 (lr grad_theta L_G, lr_d grad_psi L_D)
        N = ((0, lr D_theta_psi L_G), (lr_d D_psi_theta L_D, 0)),   the mixed second derivatives

    Schaefer and Anandkumar 2019, arXiv:1905.12103, eq. 3, before one player's unknown is eliminated; with
    equal rates of a zero-sum game N is antisymmetric and I + N is never singular. The equations are solved by
    conjugate gradients on their normal form, (I + N)^T (I + N), up to `iterations` of them. The
    step is handed to the optimizer as a gradient: `optimizer=sgd` takes it as it is.

    Args:
        iterations: of the solver; each costs four more passes.
    """

    iterations: int = 10
    joint: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.iterations < 1:
            raise ValueError(f"iterations={self.iterations}: expected a whole number >= 1")

    def __call__(self, game: Position) -> None:
        """Solve for the step and take it."""
        v, lr = game.field(create_graph=True), game.rates
        step = solve(
            lambda x: x + game.jvp(v, x, mixed=True) * lr,
            lambda y: y + game.vjp(v, y * lr, mixed=True),
            v.detach() * lr,
            self.iterations,
        )
        game.descend(step * lr.map(lambda rate: torch.where(rate > 0, 1 / rate, 0.0)))


def solve(apply: Callable[[Both], Both], transposed: Callable[[Both], Both], right: Both, iterations: int) -> Both:
    """Solve A x = right for every member by conjugate gradients on A^T A x = A^T right.

    Hestenes and Stiefel 1952, section 10. A member that has its solution stays there; where a
    number overflows, the solution is NaN.

    Args:
        apply: x to A x; either is a pair, (K, P) of each player.
        transposed: x to A^T x.
        right: the right side.
        iterations: at most.
    """
    x, residual = right * 0.0, right
    gradient = direction = transposed(residual)
    size = gradient.dot(gradient)
    solved, overflow = size * torch.finfo(size.dtype).eps ** 2, size
    for _ in range(iterations):
        moved = apply(direction)
        length = moved.dot(moved)
        alpha, overflow = torch.where(size > solved, size / length, 0.0), overflow + length
        x, residual = x + direction * alpha, residual - moved * alpha
        gradient, before = transposed(residual), size
        size = gradient.dot(gradient)
        direction = gradient + direction * torch.where(before > solved, size / before, 0.0)
    return x.map(lambda part: part + 0 * overflow)
