"""Base class of distances between two sets of points."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from gansweep.interfaces import Dataset
from gansweep.metrics import cache, suggested_metrics
from gansweep.seeding import Streams


@dataclass(frozen=True)
class PointMetric(ABC):
    """Distance between generated points and the same number of points of the data set.

    The distance of two finite samples from the same distribution is above 0. Compare values with
    `floor`.

    Args:
        num_samples: number of generated and of real points.
    """

    num_samples: int = 1024
    name: ClassVar[str]
    lower_is_better: ClassVar[bool] = True
    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if self.num_samples < 1:
            raise ValueError(f"num_samples={self.num_samples}: expected at least 1")

    @abstractmethod
    def between(self, a: Tensor, b: Tensor) -> float:
        """Return the distance of points (N, D) and (N, D)."""

    def check(self, data: Dataset) -> None:
        """Raise ValueError unless the samples are points and there are at least `num_samples`."""
        require_points(self.name, data)
        self._require(self.num_samples, data)

    def fingerprint(self, data: Dataset) -> dict[str, Any]:
        """Return name, version, data, settings and both numbers of points."""
        return {
            "metric": self.name,
            "version": self.version,
            **{k: v for k, v in asdict(self).items() if k != "num_samples"},
            "data": data.content_hash,
            "n_real": self.num_samples,
            "n_fake": self.num_samples,
            "dtype": "float64",
        }

    def __call__(self, data: Dataset, fake: Tensor) -> float:
        """Return the distance of the points (N, D) of one member to a fixed subset of the data.

        Raises:
            ValueError: N is not `num_samples`, or the data set has fewer points.
        """
        if len(fake) != self.num_samples:
            raise ValueError(f"{len(fake)} generated points: {self.name} is set to num_samples={self.num_samples}")
        return self.between(self._subsets(data, len(fake), 1, 0)[0], fake.to(data.samples.device))

    def floor(self, data: Dataset, num_splits: int = 4) -> float | None:
        """Return the mean distance of disjoint random subsets of min(num_samples, N // 2) points."""
        count = min(self.num_samples, len(data.samples) // 2)
        if count == 0:
            return None
        splits = range(1, num_splits + 1)
        return cache.value(
            {"floor": self.fingerprint(data), "num_splits": num_splits},
            lambda: sum(self.between(*self._subsets(data, count, 2, split)) for split in splits) / num_splits,
        )

    def _subsets(self, data: Dataset, count: int, num: int, split: int) -> list[Tensor]:
        """Return `num` disjoint random subsets of `count` points; equal `split` gives equal subsets."""
        self._require(count * num, data)
        order = torch.randperm(len(data.samples), generator=Streams(split)["points"])[: count * num]
        return list(data.samples[order.to(data.samples.device)].split(count))

    def _require(self, count: int, data: Dataset) -> None:
        if count > len(data.samples):
            most = len(data.samples)
            raise ValueError(f"num_samples={self.num_samples}: {data.name} has {most} points, expected at most {most}")


def require_points(name: str, data: Dataset) -> None:
    """Raise ValueError if the samples are not points (D,); the message lists suitable metrics."""
    if len(data.sample_shape) != 1:
        raise ValueError(
            f"{name} compares points (2,), samples of {data.name} are {data.sample_shape}: "
            f"{suggested_metrics(data.sample_shape)}"
        )


def require_pairs(a: Tensor, b: Tensor) -> None:
    """Raise ValueError unless both point sets are finite and have equal shapes (N, D)."""
    if a.shape != b.shape or a.ndim != 2:
        raise ValueError(f"point sets of shape {tuple(a.shape)} and {tuple(b.shape)}: expected equal (N, D)")
    if not (a.isfinite().all() and b.isfinite().all()):
        raise ValueError("points are not finite: no distance to them is meaningful")
