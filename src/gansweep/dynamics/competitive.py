"""Competitive gradient descent (CGD)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch

from gansweep.dynamics.position import Both, Position


@dataclass(frozen=True)
class Competitive:
    """Competitive gradient descent (CGD): Nash equilibrium of the game's local bilinear approximation.

        (dtheta, dpsi) = -(I + N)^-1 (lr grad_theta L_G, lr_d grad_psi L_D)
        N = ((0, lr D_theta_psi L_G), (lr_d D_psi_theta L_D, 0)),   the mixed second derivatives

    Schaefer and Anandkumar 2019, arXiv:1905.12103, eq. 3, before one player's unknown is eliminated. In
    a zero-sum game with equal learning rates, N is antisymmetric and I + N is never singular. The
    system is solved by at most `iterations` conjugate-gradient iterations on its normal equations,
    (I + N)^T (I + N). The solution divided by the learning rate is passed to the optimizer as a
    gradient, so `optimizer=sgd` applies it unchanged.

    Args:
        iterations: maximum number of solver iterations; each costs four additional passes.
    """

    iterations: int = 10
    joint: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.iterations < 1:
            raise ValueError(f"iterations={self.iterations}: expected a whole number >= 1")

    def __call__(self, game: Position) -> None:
        """Solve for the CGD step and apply it."""
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

    Hestenes and Stiefel 1952, section 10. Members that have converged no longer change. If a
    number overflows, the solution of the member is NaN.

    Args:
        apply: function that maps x to A x; both are vectors of both players, (K, P) each.
        transposed: function that maps x to A^T x.
        right: the right-hand side.
        iterations: maximum number of iterations.

    Returns:
        x, a vector of both players.
    """
    x, residual = right * 0.0, right
    gradient = direction = transposed(residual)
    size = gradient.dot(gradient)
    solved, overflow = size * torch.finfo(size.dtype).eps ** 2, size
    for _ in range(iterations):
        image = apply(direction)
        length = image.dot(image)
        alpha, overflow = torch.where(size > solved, size / length, 0.0), overflow + length
        x, residual = x + direction * alpha, residual - image * alpha
        gradient, before = transposed(residual), size
        size = gradient.dot(gradient)
        direction = gradient + direction * torch.where(before > solved, size / before, 0.0)
    return x.map(lambda part: part + 0 * overflow)
