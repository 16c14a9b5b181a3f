"""Values of one step of an adversarial pack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from gansweep.batched.objectives import DiscriminatorTerms


@dataclass
class Report:
    """Values of one generator step, with one entry per row of the pack.

    `steps` counts each member's generator steps so far. `discriminator` belongs to the last critic step.
    """

    steps: list[int]
    discriminator: DiscriminatorTerms
    discriminator_gradient: Tensor
    generator_loss: Tensor
    generator_gradient: Tensor

    def curves(self) -> dict[str, Tensor]:
        """Return losses, logits and gradient norms (K,) by tag."""
        return {
            "loss/discriminator": self.discriminator.loss,
            "loss/generator": self.generator_loss,
            "logits/real": self.discriminator.real,
            "logits/fake": self.discriminator.fake,
            "gradient norm/discriminator": self.discriminator_gradient,
            "gradient norm/generator": self.generator_gradient,
        }

    def penalties(self, names: Sequence[str]) -> dict[str, Tensor]:
        """Return the penalties (K,) by tag, given their names in the order of the objectives."""
        return {f"penalty/{name}": value for name, value in zip(names, self.discriminator.penalties, strict=False)}
