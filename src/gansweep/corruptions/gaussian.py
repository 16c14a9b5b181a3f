"""Additive Gaussian noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor


@dataclass(frozen=True)
class Gaussian:
    """Additive Gaussian noise, independent for every pixel and channel.

        y = x + 2 sigma n,   n ~ N(0, 1)

    The factor 2 is the length of [-1, 1]. Values outside [-1, 1] are not clipped, so that the peak
    signal-to-noise ratio is -20 log10(sigma) for all images.

    Args:
        sigma: standard deviation, as a fraction of the range of values.
    """

    sigma: float = 0.1
    law: ClassVar[Literal["uniform", "normal"] | None] = "normal"

    def __post_init__(self) -> None:
        if not 0 <= self.sigma < math.inf:
            raise ValueError(f"sigma={self.sigma}: expected a number >= 0")

    def noise_shape(self, sample_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of the noise of one sample: one number per pixel and channel."""
        return sample_shape

    def __call__(self, images: Tensor, noise: Tensor | None = None) -> Tensor:
        """Return the corrupted images (..., C, H, W), given standard normal `noise` of the same shape."""
        assert noise is not None
        return images + 2 * self.sigma * noise
