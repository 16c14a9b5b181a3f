"""Hinge loss for GANs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from gansweep.losses.two_terms import TwoTerms


@dataclass(frozen=True)
class Hinge(TwoTerms):
    """Hinge loss: the discriminator is penalised for real logits below 1 and generated logits above -1.

        L_D = E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))]
        L_G = -E[D(G(z))]

    Lim and Ye 2017, arXiv:1705.02894; Miyato et al. 2018, arXiv:1802.05957, eqs. 16 and 17.
    """

    ideal_loss: ClassVar[float] = 2.0

    def on_real(self, logits: Tensor) -> Tensor:
        """Return the loss of each real sample from its logit, elementwise."""
        return (1 - logits).relu()

    def on_fake(self, logits: Tensor) -> Tensor:
        """Return the loss of each generated sample from its logit, elementwise."""
        return (1 + logits).relu()

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """Return the generator's loss (K,) for logits `fake` (K, B)."""
        return -fake.mean(1)
