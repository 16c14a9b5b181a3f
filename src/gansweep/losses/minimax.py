"""Minimax (saturating) GAN loss."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from gansweep.losses.two_terms import TwoTerms, softplus


@dataclass(frozen=True)
class Minimax(TwoTerms):
    """Minimax GAN loss: binary cross-entropy for the discriminator, its negative for the generator.

        L_D = E[softplus(-D(x))] + E[softplus(D(G(z)))]
        L_G = -E[softplus(D(G(z)))]

    Goodfellow et al. 2014, arXiv:1406.2661, eq. 1, with D = sigmoid of the logit; the generator
    minimises log(1 - D(G(z))). The derivative with respect to a logit t is -sigmoid(t). It vanishes
    where the discriminator confidently rejects a sample, so this loss is also called "saturating".
    """

    ideal_loss: ClassVar[float] = math.log(4)

    def on_real(self, logits: Tensor) -> Tensor:
        """Return the loss of each real sample from its logit, elementwise."""
        return softplus(-logits)

    def on_fake(self, logits: Tensor) -> Tensor:
        """Return the loss of each generated sample from its logit, elementwise."""
        return softplus(logits)

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """Return the generator's loss (K,) for logits `fake` (K, B)."""
        return -softplus(fake).mean(1)
