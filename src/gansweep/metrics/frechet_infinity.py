"""Fréchet distance extrapolated to infinitely many generated images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from gansweep.interfaces import Dataset
from gansweep.metrics.features import FeatureMetric, features_of, reference_statistics, require_number
from gansweep.metrics.frechet import frechet_distance
from gansweep.metrics.statistics import Statistics, moments_of
from gansweep.seeding import Streams


@dataclass(frozen=True)
class Extrapolation:
    """Fitted line FD(N) = intercept + slope / N, with the standard error of the intercept."""

    intercept: float
    slope: float
    standard_error: float


def extrapolate(sizes: Tensor, values: Tensor) -> Extrapolation:
    """Return the least squares fit of values against 1 / sizes, both (n,).

    >>> n = torch.tensor([500.0, 1000.0, 2000.0])
    >>> round(extrapolate(n, 3 + 100 / n).intercept, 4)
    3.0
    """
    x, y = 1 / sizes.double(), values.double()
    centred = x - x.mean()
    slope = (centred * y).sum() / centred.square().sum()
    intercept = y.mean() - slope * x.mean()
    variance = (y - intercept - slope * x).square().sum() / max(1, len(x) - 2)
    error = (variance * (1 / len(x) + x.mean() ** 2 / centred.square().sum())).sqrt()
    return Extrapolation(intercept.item(), slope.item(), error.item())


def frechet_infinity(reference: Statistics, fake: Tensor, num_points: int = 10, seed: int = 0) -> Extrapolation:
    """Return the linear regression of the distance on 1/n, for evenly spaced n from N / 10 to N.

    Chong and Forsyth 2020, arXiv:1911.07023, section 3. Each n uses its own random subset of the
    features. The bias from the finite number of real images remains; it is the same for all generators.

    Args:
        reference: mean and covariance of the real features.
        fake: features (N, D) of generated samples.
        num_points: number of sizes n.
        seed: seed of the random subsets.
    """
    sizes = torch.linspace(len(fake) / 10, len(fake), num_points).round().long()
    generator, values = Streams(seed)["subsets"], []
    for size in sizes.tolist():
        part = fake[torch.randperm(len(fake), generator=generator)[:size]]
        values.append(frechet_distance(reference, moments_of(part)))
    return extrapolate(sizes, torch.tensor(values, dtype=torch.float64))


@dataclass(frozen=True)
class FrechetInfinity(FeatureMetric):
    """FD-infinity: Fréchet distance extrapolated to infinitely many generated images.

    Args:
        features: the feature network.
        num_samples: generated images per evaluation; the smallest subset is a tenth of them.
        num_points: number of subset sizes in the regression.
    """

    num_points: int = 10
    title: ClassVar[str] = "fd_infinity"

    def __post_init__(self) -> None:
        if self.num_points < 3:
            raise ValueError(f"num_points={self.num_points}: a line and its error need at least 3")
        if self.num_samples < 100:
            raise ValueError(f"num_samples={self.num_samples}: expected at least 100")

    def fingerprint(self, data: Dataset) -> dict[str, Any]:
        """Return the fingerprint of a feature metric that uses all real images."""
        return super().fingerprint(data) | {"n_real": len(data.samples)}

    def __call__(self, data: Dataset, fake: Tensor) -> float:
        """Return the extrapolated distance of the images (N, C, H, W) in [-1, 1] of one member."""
        return self.estimate(data, fake).intercept

    def estimate(self, data: Dataset, fake: Tensor) -> Extrapolation:
        """Return the fitted line, with the standard error of its intercept.

        Raises:
            ValueError: the number of images is not `num_samples`.
        """
        require_number(self, fake)
        reference = reference_statistics(self.features, data, fake.device)
        return frechet_infinity(reference, features_of(self.features, fake), self.num_points)
