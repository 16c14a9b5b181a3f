"""Gaussian noise on every value."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor


@dataclass(frozen=True)
class Gaussian:
    """Add noise to every value of every channel.

        y = x + 2 sigma n,   n ~ N(0, 1)

    The 2 is the length of [-1, 1]. Values that leave it stay where they are, so that the peak signal-to-noise
    ratio is -20 log10(sigma) whatever the image.

    Args:
        sigma: standard deviation, as a share of the range of values.
    """

    sigma: float = 0.1
    law: ClassVar[Literal["uniform", "normal"] | None] = "normal"

    def __post_init__(self) -> None:
        if not 0 <= self.sigma < math.inf:
            raise ValueError(f"sigma={self.sigma}: expected a number >= 0")

    def noise_shape(self, sample_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Ask for one number per value."""
        return sample_shape

    def __call__(self, images: Tensor, noise: Tensor | None = None) -> Tensor:
        """Spoil images (..., C, H, W) by `noise` of the same shape."""
        assert noise is not None
        return images + 2 * self.sigma * noise
