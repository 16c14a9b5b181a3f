"""Uniform distribution on a line segment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gansweep.data.points import Points, check_not_negative


@dataclass(frozen=True)
class Line(Points):
    """Uniform distribution on a line segment, on which unregularised GAN training need not converge.

        x = (u, 0),   u ~ U[-half_length, half_length]

    Mescheder et al. 2018, arXiv:1801.04406, section 6.1; the paper does not give the length.

    Args:
        num_samples: number of points N.
        seed: seed of the points.
        half_length: distance from the origin to either end.
    """

    half_length: float = 1.0
    name: ClassVar[str] = "line"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_not_negative(half_length=self.half_length)

    def draw(self, generator: torch.Generator) -> Tensor:
        """Return the points, float32 (N, 2)."""
        u = torch.empty(self.num_samples).uniform_(-1, 1, generator=generator)
        return torch.stack([self.half_length * u, torch.zeros_like(u)], 1)
