"""Unrolled GAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from gansweep.dynamics.position import Both, Position


@dataclass(frozen=True)
class Unrolled:
    """Unrolled GAN: the generator's gradient through k unrolled discriminator updates.

        psi_0 = psi,   psi_(j+1) = psi_j - lr_d grad_psi L_D(theta, psi_j)
        theta <- theta - lr d/dtheta L_G(theta, psi_k(theta)),   psi <- psi - lr_d grad_psi L_D(theta, psi)

    Metz et al. 2017, arXiv:1611.02163, eqs. 7 to 9. The gradient is backpropagated through all k
    unrolled updates. These are plain gradient steps with the discriminator's learning rate, for every
    discriminator optimizer.

    Args:
        steps: k, the number of unrolled updates; 0 gives `Simultaneous`.
    """

    steps: int = 5
    joint: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.steps < 0:
            raise ValueError(f"steps={self.steps}: expected a whole number >= 0")

    def __call__(self, game: Position) -> None:
        """Apply one step to both players."""
        here = game.here().map(lambda part: part.requires_grad_())
        v, (lr_d,), psi = game.field(), game.rates.discriminator, here.discriminator
        with torch.enable_grad():
            for _ in range(self.steps):
                _, loss_d = game.losses(Both(here.generator, psi))
                gradient_d = torch.autograd.grad(loss_d, psi, create_graph=True)
                psi = tuple(part - lr_d * g for part, g in zip(psi, gradient_d, strict=True))
            loss_g, _ = game.losses(Both(here.generator, psi))
            gradient_g = torch.autograd.grad(loss_g, here.generator)
        game.descend(Both(gradient_g, v.discriminator))
