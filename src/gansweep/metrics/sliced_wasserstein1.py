"""Sliced Wasserstein-1 distance: an average over directions, cheap for any number of points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gansweep.metrics.point_metric import PointMetric, require_pairs
from gansweep.seeding import Streams


def sliced_wasserstein1(a: Tensor, b: Tensor, num_directions: int = 256, seed: int = 0) -> float:
    """Mean over random directions of the W1 of both sets' (N, D) projections.

        SW1 = E_u [ (1/N) sum_i | sort(a u)_i - sort(b u)_i | ],   || u || = 1

    Bonneel et al. 2015, J. Math. Imaging Vis. 51, eq. 8 with p = 1. Never above W1.

    Raises:
        ValueError: different shapes, or values that are not finite.
    """
    require_pairs(a, b)
    directions = torch.randn(a.shape[1], num_directions, generator=Streams(seed)["directions"], dtype=torch.float64)
    directions = (directions / directions.norm(dim=0)).to(a.device)
    x, y = ((side.double() @ directions).sort(0).values for side in (a, b))
    return (x - y).abs().mean().item()


@dataclass(frozen=True)
class SlicedWasserstein1(PointMetric):
    """Sliced W1 between generated points and as many points of the data set, on fixed directions.

    Args:
        num_samples: points on either side; the cost grows as that of sorting them.
        num_directions: lines onto which the points are projected.
    """

    num_samples: int = 5000
    num_directions: int = 256
    name: ClassVar[str] = "sliced_w1"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.num_directions < 1:
            raise ValueError(f"num_directions={self.num_directions}: expected at least 1")

    def between(self, a: Tensor, b: Tensor) -> float:
        """Sliced W1 of points (N, D) and (N, D)."""
        return sliced_wasserstein1(a, b, self.num_directions)
