"""WGAN-GP with the gradient norm taken per pixel, a known implementation error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gansweep.penalties.gradient_penalty import GradientPenalty, interpolated


@dataclass(frozen=True)
class WGANGPPerPixel(GradientPenalty):
    """WGAN-GP with the gradient norm per pixel instead of per sample (a known implementation error).

        P(D) = weight * E[ mean over pixels p of (|| dD/dx_p (x_hat) ||_2 - target)^2 ]
        x_hat = u x_real + (1 - u) x_fake,   u ~ U[0, 1] drawn once per sample

    Provided to reproduce published results. The norm is taken over the channels only, as in the code
    of Hosgood, Sergeev and Moussaif 2022 (github.com/TheodorSergeev/optml_gan). With target 1 the
    penalty is minimal at a per-sample gradient norm of sqrt(H W), 28 for MNIST at 28 x 28. For
    samples without pixels it equals WGAN-GP.

    Args:
        weight: lambda; 10 * 0.1 in that code.
        target: target gradient norm of each pixel, in logits per unit of pixel value.
    """

    weight: float = 1.0
    target: float = 1.0
    not_negative: ClassVar[tuple[str, ...]] = ("weight", "target")

    def points(self, real: Tensor, fake: Tensor, u: Tensor) -> Tensor:
        """Return x_hat = u real + (1 - u) fake, (K, B, ...)."""
        return interpolated(real, fake, u)

    def score(self, grad: Tensor, logits: Tensor | None = None) -> Tensor:
        """Return the unweighted penalty (K, B) for input gradients `grad` (K, B, C, ...)."""
        per_pixel = torch.linalg.vector_norm(grad, dim=2)
        return (per_pixel - self.target).square().reshape(*grad.shape[:2], -1).mean(2)
