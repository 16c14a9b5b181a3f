"""Exact Wasserstein-1 distance of two sets of points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from gansweep.interfaces import Dataset
from gansweep.memory import require_memory
from gansweep.metrics.point_metric import PointMetric, require_pairs


def wasserstein1(a: Tensor, b: Tensor) -> float:
    """Return the Wasserstein-1 distance of points (N, D): mean of the optimal matching.

        W1 = min over permutations s of (1/N) sum_i || a_i - b_s(i) ||_2

    >>> square = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    >>> round(wasserstein1(square, square + torch.tensor([0.3, 0.4])), 6)
    0.5

    Raises:
        ValueError: the shapes differ, or values are not finite.
    """
    require_pairs(a, b)
    # The expanded form of the squared distance would lose half of the digits for close points.
    cost = torch.cdist(a.double(), b.double(), compute_mode="donot_use_mm_for_euclid_dist").cpu().numpy()
    return float(cost[linear_sum_assignment(cost)].mean())


@dataclass(frozen=True)
class Wasserstein1(PointMetric):
    """Exact Wasserstein-1 distance between generated points and the same number of data points.

    Args:
        num_samples: number of generated and of real points; the cost of the matching is cubic in it.
    """

    name: ClassVar[str] = "w1"

    def check(self, data: Dataset) -> None:
        """Raise ValueError as every point metric, and if the matrix of costs does not fit in memory."""
        super().check(data)
        require_memory("num_samples", self.num_samples, "the costs of all pairs of points", 8, power=2)

    def between(self, a: Tensor, b: Tensor) -> float:
        """Return the W1 distance of points (N, D) and (N, D)."""
        return wasserstein1(a, b)
