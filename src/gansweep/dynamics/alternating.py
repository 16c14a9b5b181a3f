"""The players in turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gansweep.dynamics.position import Position


@dataclass(frozen=True)
class Alternating:
    """The discriminator moves `critic_steps` times, then the generator answers.

        repeat critic_steps times:     psi <- psi - lr_d grad_psi L_D(theta, psi)
        repeat generator_steps times:  theta <- theta - lr grad_theta L_G(theta, psi)

    Goodfellow et al. 2014, arXiv:1406.2661, algorithm 1. Every move has a batch of its own, unless
    told otherwise. It is the loop of the trainer itself (`gansweep.algorithms.adversarial`).

    Args:
        fresh_batches: another real batch for every move of the discriminator; if not, all moves of
            a step see the same one, as in code that loops over batches outside and moves inside.
        fresh_latents: other latents for the generator's move; if not, those of the
            discriminator's last one.
        generator_steps: moves of the generator in a step; what is counted in steps, as schedules
            and evaluations are, stays a step.
    """

    fresh_batches: bool = True
    fresh_latents: bool = True
    generator_steps: int = 1
    joint: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.generator_steps < 1:
            raise ValueError(f"generator_steps={self.generator_steps}: expected a whole number >= 1")
        if self.generator_steps > 1 and not self.fresh_latents:
            raise ValueError(f"generator_steps={self.generator_steps}: expected 1 with fresh_latents=false")

    def __call__(self, game: Position) -> None:
        """Refuse: the trainer's own loop does it."""
        raise NotImplementedError("the players move in turn in the trainer's own loop")
