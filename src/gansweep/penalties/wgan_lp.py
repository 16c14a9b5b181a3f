"""WGAN-LP: one-sided gradient penalty."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from gansweep.penalties.length import length


@dataclass(frozen=True)
class WGANLP:
    """WGAN-LP: one-sided gradient penalty on points between real and generated samples.

        P(D) = weight * E[max(0, || dD/dx (x_hat) ||_2 - limit)^2]
        x_hat = u x_real + (1 - u) x_fake,   u ~ U[0, 1] drawn once per sample

    Petzka et al. 2018, arXiv:1709.08894. A 1-Lipschitz function need not have gradient norm 1
    everywhere, so only norms above `limit` are penalised. Gulrajani et al. call this penalty one-sided.

    Args:
        weight: lambda, 10 as in WGAN-GP. The paper also tries 0.1 to 100.
        limit: largest gradient norm without penalty, in logits per unit of pixel value.
    """

    weight: float = 10.0
    limit: float = 1.0
    noise: ClassVar[Literal["sample", "entry"]] = "sample"
    needs_logits: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for name in ("weight", "limit"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name}={getattr(self, name)}: expected a number >= 0")

    def points(self, real: Tensor, fake: Tensor, u: Tensor) -> Tensor:
        """Return x_hat (K, B, ...), interpolated between fake (u = 0) and real (u = 1)."""
        return torch.lerp(fake, real, u)

    def score(self, slope: Tensor, logits: Tensor | None = None) -> Tensor:
        """Return the unweighted penalty (K, B) for input gradients `slope` (K, B, ...)."""
        return (length(slope) - self.limit).relu().square()
