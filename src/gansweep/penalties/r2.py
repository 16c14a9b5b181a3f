"""R2 gradient penalty."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from gansweep.penalties.gradient_penalty import GradientPenalty
from gansweep.penalties.length import squared_length


@dataclass(frozen=True)
class R2(GradientPenalty):
    """R2: zero-centred gradient penalty on generated samples.

        P(D) = weight / 2 * E[|| dD/dx (x_hat) ||_2^2],   x_hat = x_fake

    Mescheder et al. 2018, arXiv:1801.04406, eq. 10. The paper's experiments use gamma = 10.
    Its published code has no factor 1/2: a value of 10 in its configs is weight=20 here.

    Args:
        weight: the paper's gamma. In the Dirac-GAN, 1 gives critical damping at the equilibrium.
    """

    def points(self, real: Tensor, fake: Tensor, u: Tensor) -> Tensor:
        """Return x_hat = fake, (K, B, ...)."""
        return fake

    def score(self, grad: Tensor, logits: Tensor | None = None) -> Tensor:
        """Return the unweighted penalty (K, B) for input gradients `grad` (K, B, ...)."""
        return squared_length(grad) / 2
