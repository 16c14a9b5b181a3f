"""The GAN as a zero-sum game."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from gansweep.losses.softplus import softplus
from gansweep.losses.two_terms import TwoTerms


@dataclass(frozen=True)
class Minimax(TwoTerms):
    """Cross-entropy of real against generated, and the generator that wants the opposite.

        L_D = E[softplus(-D(x))] + E[softplus(D(G(z)))]
        L_G = -E[softplus(D(G(z)))]

    Goodfellow et al. 2014, arXiv:1406.2661, eq. 1; the generator minimises log(1 - D(G(z))). Its
    gradient, sigmoid(D(G(z))), vanishes where the discriminator is sure, hence also "saturating".
    """

    ideal_loss: ClassVar[float] = math.log(4)

    def on_real(self, logits: Tensor) -> Tensor:
        """Score the logit of every real sample, elementwise."""
        return softplus(-logits)

    def on_fake(self, logits: Tensor) -> Tensor:
        """Score the logit of every generated sample, elementwise."""
        return softplus(logits)

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """Score logits (K, B) -> (K,)."""
        return -softplus(fake).mean(1)
