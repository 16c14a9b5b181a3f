"""The GAN as it is trained in practice."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from gansweep.losses.softplus import softplus
from gansweep.losses.two_terms import TwoTerms


@dataclass(frozen=True)
class Standard(TwoTerms):
    """Cross-entropy of real against generated, and the non-saturating generator.

        L_D = E[softplus(-D(x))] + E[softplus(D(G(z)))]
        L_G = E[softplus(-D(G(z)))]

    Goodfellow et al. 2014, arXiv:1406.2661, eq. 1 with D = sigmoid of the logit, and the end of
    section 3 for the generator, which maximises log D(G(z)). -log sigmoid(t) = softplus(-t).

    >>> import torch
    >>> Standard().generator(torch.zeros(1, 4))
    tensor([0.6931])
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
        return softplus(-fake).mean(1)
