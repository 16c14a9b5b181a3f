"""A slope that may be small, but not large, between real and generated samples."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from gansweep.penalties.length import length


@dataclass(frozen=True)
class WGANLP:
    """Hold the discriminator's slope below `limit` between real and generated samples.

        P(D) = weight * E[max(0, || dD/dx (x_hat) ||_2 - limit)^2]
        x_hat = u x_real + (1 - u) x_fake,   u ~ U[0, 1] drawn once per sample

    Petzka et al. 2018, arXiv:1709.08894, "WGAN-LP": a function of slope 1 at most need not have slope
    1, so that of WGAN-GP's penalty only the upper side is kept. Gulrajani et al. call it one-sided.

    Args:
        weight: lambda, 10 as in WGAN-GP. The paper also tries 0.1 to 100.
        limit: largest slope that is free, in logits per unit of pixel value.
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
        """Choose x_hat (K, B, ...) on the lines from fake (u = 0) to real (u = 1)."""
        return torch.lerp(fake, real, u)

    def score(self, slope: Tensor, logits: Tensor | None = None) -> Tensor:
        """Price slopes (K, B, ...) -> (K, B)."""
        return (length(slope) - self.limit).relu().square()
