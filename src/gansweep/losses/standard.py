"""Non-saturating GAN loss."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from gansweep.losses.two_terms import TwoTerms, softplus


@dataclass(frozen=True)
class Standard(TwoTerms):
    """Standard GAN loss: binary cross-entropy with the non-saturating generator loss.

        L_D = E[softplus(-D(x))] + E[softplus(D(G(z)))]
        L_G = E[softplus(-D(G(z)))]

    Goodfellow et al. 2014, arXiv:1406.2661, eq. 1, with D = sigmoid of the logit and
    -log sigmoid(t) = softplus(-t). The generator maximises log D(G(z)), as at the end of section 3.

    >>> import torch
    >>> Standard().generator(torch.zeros(1, 4))
    tensor([0.6931])
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
        return softplus(-fake).mean(1)
