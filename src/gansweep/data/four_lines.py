"""Uniform distribution on four line segments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gansweep.data.points import Points, check_not_negative


@dataclass(frozen=True)
class FourLines(Points):
    """Uniform distribution on four line segments, centred on the sides of a square.

        x = (s distance, u) or (u, s distance),   s = +-1,   u ~ U[-length / 2, length / 2]

    The segments are vertical at x = +-distance and horizontal at y = +-distance, with equal
    probabilities.

    Mescheder et al. 2018, arXiv:1801.04406, section 6.1; the paper does not give the sizes.

    Args:
        num_samples: number of points N.
        seed: seed of the points.
        distance: distance of every segment from the origin.
        length: length of every segment.
    """

    distance: float = 1.0
    length: float = 1.0
    name: ClassVar[str] = "four_lines"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_not_negative(distance=self.distance, length=self.length)

    def draw(self, generator: torch.Generator) -> Tensor:
        """Return the points, float32 (N, 2)."""
        segment = torch.randint(4, (self.num_samples,), generator=generator)
        u = torch.empty(self.num_samples).uniform_(-self.length / 2, self.length / 2, generator=generator)
        vertical = torch.stack([torch.where(segment % 2 == 0, self.distance, -self.distance), u], 1)
        return torch.where(segment[:, None] < 2, vertical, vertical.flip(1))
