"""WGAN-GP gradient penalty."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from gansweep.penalties.length import length


@dataclass(frozen=True)
class WGANGP:
    """WGAN-GP: gradient penalty on points between real and generated samples.

        P(D) = weight * E[(|| dD/dx (x_hat) ||_2 - target)^2]
        x_hat = u x_real + (1 - u) x_fake,   u ~ U[0, 1] drawn once per sample

    Gulrajani et al. 2017, arXiv:1704.00028, eq. 3. The norm is taken over all D numbers of a
    sample. `WGANGPPerPixel` takes it over the channels only, a common implementation error.

    Args:
        weight: the paper's lambda, 10 in all its experiments.
        target: target gradient norm, in logits per unit of pixel value; 0 gives WGAN-GP0.
    """

    weight: float = 10.0
    target: float = 1.0
    noise: ClassVar[Literal["sample", "entry"]] = "sample"
    needs_logits: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for name in ("weight", "target"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name}={getattr(self, name)}: expected a number >= 0")

    def points(self, real: Tensor, fake: Tensor, u: Tensor) -> Tensor:
        """Return x_hat (K, B, ...), interpolated between fake (u = 0) and real (u = 1)."""
        return torch.lerp(fake, real, u)

    def score(self, slope: Tensor, logits: Tensor | None = None) -> Tensor:
        """Return the unweighted penalty (K, B) for input gradients `slope` (K, B, ...)."""
        return (length(slope) - self.target).square()
