"""Masking of a random square."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor


@dataclass(frozen=True)
class Knockout:
    """Block masking: set a square at a random position to black.

        y = -1 where i0 <= i < i0 + n and j0 <= j < j0 + n,   x elsewhere,   n = round(share * H)

    i0 and j0 are uniform over the positions at which the square is inside the image.

    Args:
        share: side of the square, as a fraction of the side of the image.
    """

    share: float = 0.25
    law: ClassVar[Literal["uniform", "normal"] | None] = "uniform"

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"share={self.share}: expected 0 <= share <= 1")

    def noise_shape(self, sample_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return (2, 1, 1): two numbers per sample, for the row and the column of the square."""
        return (2, 1, 1)

    def __call__(self, images: Tensor, noise: Tensor | None = None) -> Tensor:
        """Return the corrupted images (..., C, H, W), given uniform `noise` (..., 2, 1, 1)."""
        assert noise is not None
        height, width = images.shape[-2:]
        side = round(self.share * height)
        rows = self._inside(height, side, noise[..., :1, :, :])[..., None]
        columns = self._inside(width, side, noise[..., 1:, :, :])[..., None, :]
        return torch.where(rows & columns, -1.0, images)

    @staticmethod
    def _inside(size: int, side: int, u: Tensor) -> Tensor:
        """Return a mask (..., 1, size): True at positions inside the square."""
        first = (u[..., 0] * (size - side + 1)).floor().clamp(max=size - side)
        positions = torch.arange(size, device=u.device)
        return (positions >= first) & (positions < first + side)
