"""Salt-and-pepper noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor


@dataclass(frozen=True)
class SaltAndPepper:
    """Salt-and-pepper noise: set random pixels to black or white, in all channels.

        y = -1 where u < p / 2,   1 where u > 1 - p / 2,   x elsewhere,   u ~ U[0, 1] for every pixel

    For pixel values uniform in a range of length 1, the mean squared error is p / 3.

    Args:
        p: probability that a pixel is replaced.
    """

    p: float = 0.1
    law: ClassVar[Literal["uniform", "normal"] | None] = "uniform"

    def __post_init__(self) -> None:
        if not 0 <= self.p <= 1:
            raise ValueError(f"p={self.p}: expected a probability 0 <= p <= 1")

    def noise_shape(self, sample_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of the noise of one sample: one number per pixel."""
        return (1, *sample_shape[1:])

    def __call__(self, images: Tensor, noise: Tensor | None = None) -> Tensor:
        """Return the corrupted images (..., C, H, W), given uniform `noise` (..., 1, H, W)."""
        assert noise is not None
        white = torch.where(noise > 1 - self.p / 2, 1.0, images)
        return torch.where(noise < self.p / 2, -1.0, white)
