"""Alternating gradient descent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gansweep.dynamics.position import Position
from gansweep.interfaces import ArgumentConflict


@dataclass(frozen=True)
class Alternating:
    """Alternating gradient descent: `critic_steps` discriminator updates, then the generator update.

        repeat critic_steps times:     psi <- psi - lr_d grad_psi L_D(theta, psi)
        repeat generator_steps times:  theta <- theta - lr grad_theta L_G(theta, psi)

    Goodfellow et al. 2014, arXiv:1406.2661, algorithm 1. By default every update uses its own batch.
    The loop is implemented in `gansweep.algorithms.adversarial`.

    Args:
        fresh_batches: draw a new real batch for every discriminator update; False: all discriminator
            updates of a step share one batch, as in code with an outer loop over batches.
        fresh_latents: draw new latents for the generator update; False: reuse those of the last
            discriminator update.
        generator_steps: generator updates per step. Schedules and evaluations count steps, not
            generator updates.
    """

    fresh_batches: bool = True
    fresh_latents: bool = True
    generator_steps: int = 1
    joint: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.generator_steps < 1:
            raise ValueError(f"generator_steps={self.generator_steps}: expected a whole number >= 1")
        if self.generator_steps > 1 and not self.fresh_latents:
            message = f"generator_steps={self.generator_steps}: expected 1 with fresh_latents=false"
            raise ArgumentConflict(message, "generator_steps", "fresh_latents")

    def __call__(self, game: Position) -> None:
        """Raise NotImplementedError; alternating updates are implemented in the training loop."""
        raise NotImplementedError("alternating updates are implemented in gansweep.algorithms.adversarial")
