"""Wasserstein GAN loss (WGAN)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from gansweep.losses.two_terms import TwoTerms


@dataclass(frozen=True)
class Wasserstein(TwoTerms):
    """WGAN: difference of the critic's mean outputs on generated and real samples.

        L_D = E[D(G(z))] - E[D(x)]
        L_G = -E[D(G(z))]

    Arjovsky et al. 2017, arXiv:1701.07875, eq. 2 and algorithm 1; the critic's sign is flipped because
    both players minimise. The loss has no lower bound: the critic's input gradient has to be bounded
    by weight clipping or by a gradient penalty.
    """

    ideal_loss: ClassVar[float] = 0.0

    def on_real(self, logits: Tensor) -> Tensor:
        """Return the loss of each real sample from the critic's output, elementwise."""
        return -logits

    def on_fake(self, logits: Tensor) -> Tensor:
        """Return the loss of each generated sample from the critic's output, elementwise."""
        return logits

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """Return the generator's loss (K,) for the critic's outputs `fake` (K, B)."""
        return -fake.mean(1)
