"""Gaussian blur."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gansweep.corruptions import Corruption

REACH = 3  # radius of the kernel in standard deviations


@dataclass(frozen=True)
class Blur(Corruption):
    """Gaussian blur, applied along both axes one after the other.

        y(i) = sum_d w(d) x(i + d) / sum_d w(d),   w(d) = exp(-d^2 / (2 sigma^2)),   |d| <= 3 sigma

    Border pixels are replicated. The blur is computed as a sum of shifted images, so that results are
    bitwise independent of the number of images.

    Args:
        sigma: standard deviation in pixels; 0 leaves the image unchanged.
    """

    sigma: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.sigma < math.inf:
            raise ValueError(f"sigma={self.sigma}: expected pixels, a number >= 0")

    def __call__(self, images: Tensor, noise: Tensor | None = None) -> Tensor:
        """Return the corrupted images, of the same shape (..., C, H, W)."""
        return self._along(-1, self._along(-2, images))

    def _along(self, axis: int, images: Tensor) -> Tensor:
        reach, size = math.ceil(REACH * self.sigma), images.shape[axis]
        positions = torch.arange(size, device=images.device)
        distances = range(-reach, reach + 1) if self.sigma else [0]
        weights = [math.exp(-((d / self.sigma) ** 2) / 2) if d else 1.0 for d in distances]
        total, blurred = sum(weights), torch.zeros_like(images)
        for d, weight in zip(distances, weights, strict=True):
            blurred = blurred + (weight / total) * images.index_select(axis, (positions + d).clamp(0, size - 1))
        return blurred
