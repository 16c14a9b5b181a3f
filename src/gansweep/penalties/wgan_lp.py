"""WGAN-LP: one-sided gradient penalty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from gansweep.penalties.gradient_penalty import GradientPenalty, interpolated
from gansweep.penalties.length import length


@dataclass(frozen=True)
class WGANLP(GradientPenalty):
    """WGAN-LP: one-sided gradient penalty on points between real and generated samples.

        P(D) = weight * E[max(0, || dD/dx (x_hat) ||_2 - limit)^2]
        x_hat = u x_real + (1 - u) x_fake,   u ~ U[0, 1] drawn once per sample

    Petzka et al. 2018, arXiv:1709.08894. A 1-Lipschitz function need not have gradient norm 1
    everywhere, so only norms above `limit` are penalised. Gulrajani et al. call this penalty one-sided.

    Args:
        weight: lambda, 10 as in WGAN-GP. The paper also tries 0.1 to 100.
        limit: largest gradient norm without penalty, in logits per unit of pixel value.
    """

    limit: float = 1.0
    not_negative: ClassVar[tuple[str, ...]] = ("weight", "limit")

    def points(self, real: Tensor, fake: Tensor, u: Tensor) -> Tensor:
        """Return x_hat = u real + (1 - u) fake, (K, B, ...)."""
        return interpolated(real, fake, u)

    def score(self, grad: Tensor, logits: Tensor | None = None) -> Tensor:
        """Return the unweighted penalty (K, B) for input gradients `grad` (K, B, ...)."""
        return (length(grad) - self.limit).relu().square()
