"""Kernel distance (unbiased squared MMD); with Inception features, the KID."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gansweep.interfaces import Dataset
from gansweep.metrics.features import FeatureMetric
from gansweep.seeding import Streams


def squared_mmd(x: Tensor, y: Tensor) -> Tensor:
    """Return the unbiased squared maximum mean discrepancy of features (..., m, D) and (..., n, D).

        sum_{i != j} k(x_i, x_j) / (m (m - 1)) + sum_{i != j} k(y_i, y_j) / (n (n - 1)) - 2 mean k(x_i, y_j)
        k(x, y) = (x . y / D + 1)^3

    Binkowski et al. 2018, arXiv:1801.01401, eq. 4 and section 4. It can be negative.

    >>> x = torch.tensor([[0.0, 0.0], [1.0, 0.0]])
    >>> squared_mmd(x, x + 1).item()
    9.9375
    """

    def kernel(a: Tensor, b: Tensor) -> Tensor:
        return (a @ b.mT / a.shape[-1] + 1) ** 3

    def without_diagonal(a: Tensor) -> Tensor:
        k, n = kernel(a, a), a.shape[-2]
        return (k.sum((-2, -1)) - k.diagonal(dim1=-2, dim2=-1).sum(-1)) / (n * (n - 1))

    return without_diagonal(x) + without_diagonal(y) - 2 * kernel(x, y).mean((-2, -1))


def kernel_distance(
    x: Tensor, y: Tensor, num_subsets: int = 100, subset_size: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """Return the mean and standard deviation of the squared MMD over random subsets.

    Subsets are drawn without replacement. The standard deviation estimates that of an estimate from
    `subset_size` samples only if N and M are much larger. If the subsets contain all samples it is
    0; see `jackknife`.

    Args:
        x: features (N, D).
        y: features (M, D).
        num_subsets: number of pairs of subsets.
        subset_size: number of samples in each subset.
        seed: seed of the subsets; equal seeds give equal results.

    Raises:
        ValueError: N or M is below `subset_size`.
    """
    _require_subset(subset_size, min(len(x), len(y)))
    size, generator = subset_size, Streams(seed)["kid"]
    x, y = x.double(), y.double()
    values = []
    for _ in range(num_subsets):
        a, b = (side[torch.randperm(len(side), generator=generator)[:size]] for side in (x, y))
        values.append(squared_mmd(a, b))
    estimates = torch.stack(values)
    return estimates.mean().item(), estimates.std(correction=0).item()


def jackknife(x: Tensor, y: Tensor) -> tuple[float, float | None]:
    """Return the squared MMD of features (m, D) and (n, D), and its jackknife standard error.

        SE^2 = (m - 1) / m sum_i (M_-i - mean)^2 + (n - 1) / n sum_j (M_-j - mean)^2

    M_-i is the estimate without the i-th sample of the first set, M_-j without the j-th of the
    second. Efron and Stein 1981, "The jackknife estimate of variance", for two independent samples.
    The standard error is None if m or n is below 3.

    >>> x = torch.tensor([[0.0], [1.0], [2.0]], dtype=torch.float64)
    >>> jackknife(x, x)[0] == squared_mmd(x, x).item()
    True
    """
    x, y = x.double(), y.double()
    value = squared_mmd(x, y).item()
    if min(len(x), len(y)) < 3:
        return value, None
    cross, variance = (x @ y.T / x.shape[1] + 1) ** 3, 0.0
    for side, across in ((x, cross), (y, cross.T)):
        n, other = across.shape
        within = (side @ side.T / side.shape[1] + 1) ** 3
        within.fill_diagonal_(0)
        within_mean = (within.sum() - 2 * within.sum(1)) / ((n - 1) * (n - 2))
        cross_mean = (across.sum() - across.sum(1)) / ((n - 1) * other)
        left_out = within_mean - 2 * cross_mean  # the term of the other set is constant and cancels
        variance += ((n - 1) / n * (left_out - left_out.mean()).square().sum()).item()
    return value, variance**0.5


def _require_subset(subset_size: int, num_samples: int) -> None:
    if subset_size > num_samples:
        raise ValueError(f"subset_size={subset_size}: expected at most {num_samples}, the images of the smaller side")


@dataclass(frozen=True)
class KernelDistance(FeatureMetric):
    """Kernel distance: mean squared MMD over random subsets; with Inception features the KID.

    Args:
        features: the feature network.
        num_samples: generated images per evaluation.
        num_subsets: number of random subsets.
        subset_size: number of generated and of real images in each subset.
    """

    num_subsets: int = 100
    subset_size: int = 1000
    title: ClassVar[str] = "kid"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.num_subsets < 1:
            raise ValueError(f"num_subsets={self.num_subsets}: expected at least 1")
        if self.subset_size < 2:
            raise ValueError(f"subset_size={self.subset_size}: expected at least 2")

    def check(self, data: Dataset) -> None:
        """Raise ValueError as every feature metric, and if there are fewer images than `subset_size`."""
        super().check(data)
        _require_subset(self.subset_size, min(self.num_samples, len(data.samples)))

    def __call__(self, data: Dataset, fake: Tensor) -> float:
        """Return the distance of the images (N, C, H, W) in [-1, 1] of one member."""
        return self.estimate(data, fake)[0]

    def estimate(self, data: Dataset, fake: Tensor) -> tuple[float, float]:
        """Return the mean and standard deviation over the subsets."""
        return kernel_distance(*self.both(data, fake), self.num_subsets, self.subset_size)
