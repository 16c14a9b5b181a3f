"""A slope to aim at in every pixel by itself: a known slip of implementations of WGAN-GP."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor


@dataclass(frozen=True)
class WGANGPPerPixel:
    """Hold every pixel's part of the slope near `target`, where WGAN-GP means the whole slope.

        P(D) = weight * E[ mean over pixels p of (|| dD/dx_p (x_hat) ||_2 - target)^2 ]
        x_hat = u x_real + (1 - u) x_fake,   u ~ U[0, 1] drawn once per sample

    A quirk, kept to reproduce results that have it: the norm runs over the channels alone, as in
    the code of Hosgood, Sergeev and Moussaif 2022 (github.com/TheodorSergeev/optml_gan). With
    target 1 its minimum on H x W pixels is a slope of sqrt(H W), 28 on MNIST. Samples without
    pixels have channels only, and it is WGAN-GP.

    Args:
        weight: lambda; that code has 10 * 0.1.
        target: slope to aim at in every pixel, in logits per unit of pixel value.
    """

    weight: float = 1.0
    target: float = 1.0
    noise: ClassVar[Literal["sample", "entry"]] = "sample"
    needs_logits: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for name in ("weight", "target"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name}={getattr(self, name)}: expected a number >= 0")

    def points(self, real: Tensor, fake: Tensor, u: Tensor) -> Tensor:
        """Choose x_hat (K, B, ...) on the lines from fake (u = 0) to real (u = 1)."""
        return torch.lerp(fake, real, u)

    def score(self, slope: Tensor, logits: Tensor | None = None) -> Tensor:
        """Price slopes (K, B, C, ...) -> (K, B)."""
        per_pixel = torch.linalg.vector_norm(slope, dim=2)
        return (per_pixel - self.target).square().reshape(*slope.shape[:2], -1).mean(2)
