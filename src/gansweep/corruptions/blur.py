"""Images out of focus."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

REACH = 3  # standard deviations to either side, beyond which there is nothing left


@dataclass(frozen=True)
class Blur:
    """Average every pixel with its neighbours.

        y(i) = sum_d w(d) x(i + d) / sum_d w(d),   w(d) = exp(-d^2 / (2 sigma^2)),   |d| <= 3 sigma

    along both axes, one after the other. Beyond the border the outermost pixel goes on. It is written as a sum of
    shifted images, whose bits do not depend on how many there are.

    Args:
        sigma: standard deviation in pixels; 0 leaves the image as it is.
    """

    sigma: float = 1.0
    law: ClassVar[Literal["uniform", "normal"] | None] = None

    def __post_init__(self) -> None:
        if not 0 <= self.sigma < math.inf:
            raise ValueError(f"sigma={self.sigma}: expected pixels, a number >= 0")

    def noise_shape(self, sample_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Ask for no numbers."""
        return ()

    def __call__(self, images: Tensor, noise: Tensor | None = None) -> Tensor:
        """Spoil images (..., C, H, W)."""
        return self._along(-1, self._along(-2, images))

    def _along(self, axis: int, images: Tensor) -> Tensor:
        reach, size = math.ceil(REACH * self.sigma), images.shape[axis]
        places = torch.arange(size, device=images.device)
        distances = range(-reach, reach + 1) if self.sigma else [0]
        weights = [math.exp(-((d / self.sigma) ** 2) / 2) if d else 1.0 for d in distances]
        total, found = sum(weights), torch.zeros_like(images)
        for d, weight in zip(distances, weights, strict=True):
            found = found + (weight / total) * images.index_select(axis, (places + d).clamp(0, size - 1))
        return found
