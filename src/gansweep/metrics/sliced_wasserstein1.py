"""Sliced Wasserstein-1 distance, an inexpensive alternative to W1 for many points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gansweep.metrics.point_metric import PointMetric, require_pairs
from gansweep.seeding import Streams


def sliced_wasserstein1(a: Tensor, b: Tensor, num_directions: int = 256, seed: int = 0) -> float:
    """Return the sliced W1 of point sets (N, D): the mean W1 of their projections.

        SW1 = E_u [ (1/N) sum_i | sort(a u)_i - sort(b u)_i | ],   || u || = 1

    Bonneel et al. 2015, J. Math. Imaging Vis. 51, eq. 8 with p = 1. It is at most W1.

    Raises:
        ValueError: the shapes differ, or values are not finite.
    """
    require_pairs(a, b)
    directions = torch.randn(a.shape[1], num_directions, generator=Streams(seed)["directions"], dtype=torch.float64)
    directions = (directions / directions.norm(dim=0)).to(a.device)
    x, y = ((side.double() @ directions).sort(0).values for side in (a, b))
    return (x - y).abs().mean().item()


@dataclass(frozen=True)
class SlicedWasserstein1(PointMetric):
    """Sliced W1 distance between generated points and as many data points.

    Args:
        num_samples: number of generated and of real points; the cost is that of sorting them.
        num_directions: number of directions on which the points are projected.
    """

    num_samples: int = 5000
    num_directions: int = 256
    name: ClassVar[str] = "sliced_w1"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.num_directions < 1:
            raise ValueError(f"num_directions={self.num_directions}: expected at least 1")

    def between(self, a: Tensor, b: Tensor) -> float:
        """Return the sliced W1 of points (N, D) and (N, D)."""
        return sliced_wasserstein1(a, b, self.num_directions)
