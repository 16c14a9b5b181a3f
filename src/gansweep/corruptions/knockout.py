"""Images with a hole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor


@dataclass(frozen=True)
class Knockout:
    """Make a square block black, anywhere inside of the image.

        y = -1 where i0 <= i < i0 + n and j0 <= j < j0 + n,   x elsewhere,   n = round(share * H)

    with i0 and j0 spread evenly over the places where the block fits.

    Args:
        share: side of the block, as a share of the image's.
    """

    share: float = 0.25
    law: ClassVar[Literal["uniform", "normal"] | None] = "uniform"

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"share={self.share}: expected 0 <= share <= 1")

    def noise_shape(self, sample_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Ask for two numbers, which say where."""
        return (2, 1, 1)

    def __call__(self, images: Tensor, noise: Tensor | None = None) -> Tensor:
        """Spoil images (..., C, H, W) by `noise` (..., 2, 1, 1)."""
        assert noise is not None
        height, width = images.shape[-2:]
        side = round(self.share * height)
        rows = self._inside(height, side, noise[..., :1, :, :])[..., None]
        columns = self._inside(width, side, noise[..., 1:, :, :])[..., None, :]
        return torch.where(rows & columns, -1.0, images)

    @staticmethod
    def _inside(size: int, side: int, u: Tensor) -> Tensor:
        """Tell of every place (..., 1, size) whether it is in the block."""
        first = (u[..., 0] * (size - side + 1)).floor().clamp(max=size - side)
        at = torch.arange(size, device=u.device)
        return (at >= first) & (at < first + side)
