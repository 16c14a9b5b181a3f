"""What distances between two sets of points have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from gansweep.interfaces import Dataset
from gansweep.metrics import cache
from gansweep.metrics.fitting import fitting
from gansweep.seeding import Streams


@dataclass(frozen=True)
class PointMetric(ABC):
    """A distance between generated points and as many points of the data set.

    A finite sample does not reach 0 even when both sides are drawn from the same law: read it
    against `floor`.

    Args:
        num_samples: points on either side.
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
        """Distance of points (N, D) and (N, D)."""

    def check(self, data: Dataset) -> None:
        """Accept as many points as are compared.

        Raises:
            ValueError: the samples are something else, or fewer.
        """
        require_points(self.name, data)
        self._require(self.num_samples, data)

    def fingerprint(self, data: Dataset) -> dict[str, Any]:
        """Name, version, data, own settings and the number of points on either side."""
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
        """Measure points (N, D) of one member against fixed points of the data.

        Raises:
            ValueError: N is not `num_samples`, or the data set has fewer points.
        """
        if len(fake) != self.num_samples:
            raise ValueError(f"{len(fake)} generated points: {self.name} is set to num_samples={self.num_samples}")
        return self.between(self._subsets(data, len(fake), 1, 0)[0], fake.to(data.samples.device))

    def floor(self, data: Dataset, num_splits: int = 4) -> float | None:
        """Mean distance of two disjoint random sets of min(num_samples, N // 2) real points."""
        count = min(self.num_samples, len(data.samples) // 2)
        if count == 0:
            return None
        key = {"floor": self.fingerprint(data), "num_splits": num_splits}
        known = cache.recall(key)
        if known is not None:
            return float(known["value"])
        splits = range(1, num_splits + 1)
        value = sum(self.between(*self._subsets(data, count, 2, split)) for split in splits) / num_splits
        cache.keep(key, {"value": value})
        return value

    def _subsets(self, data: Dataset, count: int, num: int, split: int) -> list[Tensor]:
        """Draw `num` disjoint sets of `count` points, the same ones for a given `split`."""
        self._require(count * num, data)
        order = torch.randperm(len(data.samples), generator=Streams(split)["points"])[: count * num]
        return list(data.samples[order.to(data.samples.device)].split(count))

    def _require(self, count: int, data: Dataset) -> None:
        if count > len(data.samples):
            most = len(data.samples)
            raise ValueError(f"num_samples={self.num_samples}: {data.name} has {most} points, expected at most {most}")


def require_points(name: str, data: Dataset) -> None:
    """Refuse images, saying what to choose instead.

    Raises:
        ValueError: the samples are not points (D,).
    """
    if len(data.sample_shape) != 1:
        raise ValueError(
            f"{name} compares points (2,), samples of {data.name} are {data.sample_shape}: {fitting(data.sample_shape)}"
        )


def require_pairs(a: Tensor, b: Tensor) -> None:
    """Refuse point sets that can't be matched one to one.

    Args:
        a: points (N, D).
        b: as many others, (N, D).

    Raises:
        ValueError: different shapes, or values that are not finite.
    """
    if a.shape != b.shape or a.ndim != 2:
        raise ValueError(f"point sets of shape {tuple(a.shape)} and {tuple(b.shape)}: expected equal (N, D)")
    if not (a.isfinite().all() and b.isfinite().all()):
        raise ValueError("points are not finite: no distance to them is meaningful")
