"""Pixels that are black or white for no reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor


@dataclass(frozen=True)
class SaltAndPepper:
    """Turn a share of the pixels black or white, all channels of a pixel at once.

        y = -1 where u < p / 2,   1 where u > 1 - p / 2,   x elsewhere,   u ~ U[0, 1] for every pixel

    Of pixels spread evenly over the range [0, 1], the mean squared error is p / 3.

    Args:
        p: chance that a pixel is hit.
    """

    p: float = 0.1
    law: ClassVar[Literal["uniform", "normal"] | None] = "uniform"

    def __post_init__(self) -> None:
        if not 0 <= self.p <= 1:
            raise ValueError(f"p={self.p}: expected a chance 0 <= p <= 1")

    def noise_shape(self, sample_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Ask for one number per pixel."""
        return (1, *sample_shape[1:])

    def __call__(self, images: Tensor, noise: Tensor | None = None) -> Tensor:
        """Spoil images (..., C, H, W) by `noise` (..., 1, H, W)."""
        assert noise is not None
        white = torch.where(noise > 1 - self.p / 2, 1.0, images)
        return torch.where(noise < self.p / 2, -1.0, white)
