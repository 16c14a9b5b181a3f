"""WGAN-GP gradient penalty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from gansweep.penalties.gradient_penalty import GradientPenalty, interpolated
from gansweep.penalties.length import length


@dataclass(frozen=True)
class WGANGP(GradientPenalty):
    """WGAN-GP: gradient penalty on points between real and generated samples.

        P(D) = weight * E[(|| dD/dx (x_hat) ||_2 - target)^2]
        x_hat = u x_real + (1 - u) x_fake,   u ~ U[0, 1] drawn once per sample

    Gulrajani et al. 2017, arXiv:1704.00028, eq. 3. The norm is taken over all D numbers of a
    sample. `WGANGPPerPixel` takes it over the channels only, a common implementation error.

    Args:
        weight: the paper's lambda, 10 in all its experiments.
        target: target gradient norm, in logits per unit of pixel value; 0 gives WGAN-GP0.
    """

    target: float = 1.0
    not_negative: ClassVar[tuple[str, ...]] = ("weight", "target")

    def points(self, real: Tensor, fake: Tensor, u: Tensor) -> Tensor:
        """Return x_hat = u real + (1 - u) fake, (K, B, ...)."""
        return interpolated(real, fake, u)

    def score(self, grad: Tensor, logits: Tensor | None = None) -> Tensor:
        """Return the unweighted penalty (K, B) for input gradients `grad` (K, B, ...)."""
        return (length(grad) - self.target).square()
