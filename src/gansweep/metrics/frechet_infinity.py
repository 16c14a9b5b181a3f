"""Fréchet distance extrapolated to infinitely many generated images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from gansweep.interfaces import Dataset
from gansweep.metrics.feature_metric import FeatureMetric
from gansweep.metrics.features import features_of
from gansweep.metrics.frechet import frechet_distance
from gansweep.metrics.reference import reference_statistics
from gansweep.metrics.statistics import Statistics, moments_of
from gansweep.seeding import Streams


@dataclass(frozen=True)
class Extrapolation:
    """A line FD(N) = intercept + slope / N with the standard error of the intercept."""

    intercept: float
    slope: float
    standard_error: float


def extrapolate(sizes: Tensor, values: Tensor) -> Extrapolation:
    """Least squares of values on 1 / sizes, both (n,).

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
    """Regress the distance of features (N, D) on 1/n for n from N / 10 to N, evenly spaced.

    Chong and Forsyth 2020, arXiv:1911.07023, section 3: each point takes its own random part
    of the features. The bias of the real side stays; it is the same for all generators.

    Args:
        reference: mean and covariance of real features.
        fake: features (N, D) of generated samples.
        num_points: sizes n of the regression.
        seed: of the parts that are drawn.
    """
    sizes = torch.linspace(len(fake) / 10, len(fake), num_points).round().long()
    generator, values = Streams(seed)["subsets"], []
    for size in sizes.tolist():
        part = fake[torch.randperm(len(fake), generator=generator)[:size]]
        values.append(frechet_distance(reference, moments_of(part)))
    return extrapolate(sizes, torch.tensor(values, dtype=torch.float64))


@dataclass(frozen=True)
class FrechetInfinity(FeatureMetric):
    """Fréchet distance freed of the bias that the number of generated images brings.

    Args:
        features: the feature network.
        num_samples: generated images per evaluation; the smallest part is a tenth of them.
        num_points: sizes at which the distance is taken.
    """

    num_points: int = 10
    title: ClassVar[str] = "fd_infinity"

    def __post_init__(self) -> None:
        if self.num_points < 3:
            raise ValueError(f"num_points={self.num_points}: a line and its error need at least 3")
        if self.num_samples < 100:
            raise ValueError(f"num_samples={self.num_samples}: expected at least 100")

    def fingerprint(self, data: Dataset) -> dict[str, Any]:
        """As every metric on features; all real images are used."""
        return super().fingerprint(data) | {"n_real": len(data.samples)}

    def __call__(self, data: Dataset, fake: Tensor) -> float:
        """Measure images (N, C, H, W) in [-1, 1] of one member."""
        return self.estimate(data, fake).intercept

    def estimate(self, data: Dataset, fake: Tensor) -> Extrapolation:
        """Return the line with its uncertainty.

        Raises:
            ValueError: the number of images is not `num_samples`.
        """
        if len(fake) != self.num_samples:
            raise ValueError(f"{len(fake)} generated samples: {self.name} is set to num_samples={self.num_samples}")
        reference = reference_statistics(self.features, data, fake.device)
        return frechet_infinity(reference, features_of(self.features, fake), self.num_points)
