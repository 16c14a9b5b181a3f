"""Precision, recall, density and coverage: separate measures of fidelity and diversity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from gansweep.interfaces import Dataset
from gansweep.metrics.features import FeatureMetric


def manifold_shares(real: Tensor, fake: Tensor, k: int = 5) -> dict[str, float]:
    """Return precision, recall, density and coverage of features real (n, D) and fake (m, D).

        precision = fraction of fakes in at least one B(real)
        recall    = fraction of reals in at least one B(fake)
        density   = mean over fakes of the number of B(real) that contain them, divided by k
        coverage  = fraction of B(real) that contain a fake

    B(x) is the ball around x whose radius is the distance to its k-th nearest neighbour in the same
    set.

    Kynkaanniemi et al. 2019, arXiv:1904.06991, eq. 2 (k = 3 there), and Naeem et al. 2020,
    arXiv:2002.09797, eq. 3 and 4 (k = 5). Density may exceed 1.

    Raises:
        ValueError: one of the sets has at most k samples.
    """
    if k < 1 or k >= min(len(real), len(fake)):
        raise ValueError(f"k={k}: expected 1 to {min(len(real), len(fake)) - 1}, one less than the images of a side")

    def radii(x: Tensor) -> Tensor:
        # The (k + 1)-th smallest distance, because the smallest one is that of a sample to itself.
        return distances(x, x).kthvalue(k + 1, dim=1).values

    between, around_real, around_fake = distances(real, fake), radii(real), radii(fake)
    in_real = between < around_real[:, None]
    return {
        "precision": in_real.any(0).double().mean().item(),
        "recall": (between < around_fake).any(1).double().mean().item(),
        "density": in_real.double().sum(0).mean().item() / k,
        "coverage": (between.min(1).values < around_real).double().mean().item(),
    }


def distances(a: Tensor, b: Tensor) -> Tensor:
    """Return the Euclidean distances (n, m) of features (n, D) and (m, D), in float64."""
    return torch.cdist(a.double(), b.double())


@dataclass(frozen=True)
class ManifoldShare(FeatureMetric):
    """Precision, recall, density or coverage of generated images.

    Args:
        features: the feature network.
        num_samples: generated images per evaluation, and maximum number of real images.
        quantity: precision, recall, density or coverage.
        k: number of nearest neighbours that determines the radius of a ball.
    """

    quantity: Literal["precision", "recall", "density", "coverage"] = "coverage"
    k: int = 5
    lower_is_better: ClassVar[bool] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.quantity not in ("precision", "recall", "density", "coverage"):
            raise ValueError(f"quantity={self.quantity}: choose precision, recall, density or coverage")
        if not 1 <= self.k < self.num_samples:
            raise ValueError(f"k={self.k}: expected 1 to num_samples - 1 = {self.num_samples - 1}")

    def check(self, data: Dataset) -> None:
        """Raise ValueError as every feature metric, and if the data set has at most k images."""
        super().check(data)
        if self.k >= len(data.samples):
            most = len(data.samples) - 1
            raise ValueError(f"k={self.k}: expected at most {most}, one less than the images of {data.name}")

    @property
    def name(self) -> str:
        """Name in tables and records."""
        return f"{self.quantity}_{self.features.name}"

    def __call__(self, data: Dataset, fake: Tensor) -> float:
        """Return the quantity for the images (N, C, H, W) in [-1, 1] of one member."""
        return manifold_shares(*self.both(data, fake), self.k)[self.quantity]
