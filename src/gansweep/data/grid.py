"""Mixture of Gaussians on a square grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gansweep.data.points import Points, check_not_negative


@dataclass(frozen=True)
class Grid(Points):
    """Mixture of equally likely Gaussians on a square grid of side x side, centred at the origin.

        x = spacing (i - (side - 1) / 2, j - (side - 1) / 2) + std n,   i, j uniform,   n ~ N(0, I)

    Srivastava et al. 2017 (VEEGAN), arXiv:1705.07761, section 4.1, with half the spacing of the paper.

    Args:
        num_samples: number of points N.
        seed: seed of the points.
        side: number of Gaussians per row and per column.
        spacing: distance between adjacent centres.
        std: standard deviation of each Gaussian in each direction.
    """

    side: int = 5
    spacing: float = 1.0
    std: float = 0.025
    name: ClassVar[str] = "grid"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.side < 1:
            raise ValueError(f"side={self.side}: expected 1 or more")
        check_not_negative(spacing=self.spacing, std=self.std)

    @property
    def centres(self) -> Tensor:
        """Means of the Gaussians, float32 (side * side, 2)."""
        offsets = torch.arange(self.side) - (self.side - 1) / 2
        return self.spacing * torch.cartesian_prod(offsets, offsets).view(-1, 2)

    def draw(self, generator: torch.Generator) -> Tensor:
        """Return the points, float32 (N, 2)."""
        offset = torch.randint(self.side, (self.num_samples, 2), generator=generator) - (self.side - 1) / 2
        return self.spacing * offset + self.std * torch.randn(self.num_samples, 2, generator=generator)
