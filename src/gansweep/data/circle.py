"""Uniform distribution on a circle."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gansweep.data.points import Points, check_not_negative, polar


@dataclass(frozen=True)
class Circle(Points):
    """Uniform distribution on a circle in the plane.

        x = radius (cos a, sin a),   a ~ U[0, 2 pi]

    Mescheder et al. 2018, arXiv:1801.04406, section 6.1; the paper does not give the radius.

    Args:
        num_samples: number of points N.
        seed: seed of the points.
        radius: radius of the circle.
    """

    radius: float = 1.0
    name: ClassVar[str] = "circle"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_not_negative(radius=self.radius)

    def draw(self, generator: torch.Generator) -> Tensor:
        """Return the points, float32 (N, 2)."""
        angle = torch.empty(self.num_samples).uniform_(0, 2 * math.pi, generator=generator)
        return polar(torch.tensor(self.radius), angle)
