"""Intra-FD: Fréchet distance within every class, averaged over the classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from gansweep.interfaces import Dataset
from gansweep.labels import balanced, count_classes, labels_hash, labels_of
from gansweep.metrics import cache
from gansweep.metrics.features import (
    REFERENCE_VERSION,
    FeatureNetwork,
    cached_statistics,
    features_of,
    require_number,
    statistics_of,
)
from gansweep.metrics.frechet import frechet_distance, split_distances
from gansweep.metrics.statistics import Statistics


@dataclass(frozen=True)
class IntraFrechetDistance:
    """Intra-FD: mean over the classes of the Fréchet distance between the generated and the real images of a class.

        1 / C sum_c d(G(z, c), x | c)

    Miyato and Koyama 2018, arXiv:1802.05637, section 5.1, with Inception features (intra-FID). For conditional
    models. Every class gets the same number of generated images; the distance to all real images of the class has a
    bias that grows as the number of images decreases, so compare values with `floor` and with equal `num_samples`.

    Args:
        features: the feature network, which determines the name of the metric.
        num_samples: generated images per evaluation, of all classes together; 5,000 per class in the paper.
    """

    features: FeatureNetwork
    num_samples: int = 10_000
    lower_is_better: ClassVar[bool] = True
    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if self.num_samples < 2:
            raise ValueError(f"num_samples={self.num_samples}: a covariance needs at least 2 in every class")

    @property
    def name(self) -> str:
        """Name in tables and records: `intra_fid_inception`, `intra_fd_digits`, ..."""
        return f"intra_{self.features.frechet_name}"

    def check(self, data: Dataset) -> None:
        """Raise ValueError if the data have no labels, or samples or weights are not suitable."""
        self.features.check(data.sample_shape)
        labels = labels_of(data)
        classes = count_classes(labels)
        if self.num_samples < 2 * classes:
            raise ValueError(
                f"num_samples={self.num_samples}: {data.name} has {classes} classes, expected at least {2 * classes}"
            )
        least = int(labels.bincount().min())
        if least < 2:
            raise ValueError(
                f"{self.name} needs at least 2 samples of every class, {data.name} has a class with {least}"
            )

    def fingerprint(self, data: Dataset) -> dict[str, Any]:
        """Return name, version, feature network, data with its labels and both numbers of samples."""
        return {
            "metric": self.name,
            "version": self.version,
            "features": self.features.fingerprint(),
            "data": data.content_hash,
            "labels": labels_hash(data),
            "n_real": len(data.samples),
            "n_fake": self.num_samples,
        }

    def labels(self, data: Dataset) -> Tensor:
        """Return the labels (num_samples,) of the generated images that the metric needs, in this order."""
        return balanced(count_classes(labels_of(data)), self.num_samples)

    def per_class(self, data: Dataset, fake: Tensor) -> list[float]:
        """Return the distance of every class, of images (N, C, H, W) in the order of `labels`.

        Raises:
            ValueError: the number of images is not `num_samples`, or values are not finite or out of range.
        """
        require_number(self, fake)
        labels = self.labels(data).to(fake.device)
        return [
            frechet_distance(self._reference(data, c, fake.device), statistics_of(self.features, fake[labels == c]))
            for c in range(count_classes(labels))
        ]

    def __call__(self, data: Dataset, fake: Tensor) -> float:
        """Return the mean of `per_class`."""
        distances = self.per_class(data, fake)
        return sum(distances) / len(distances)

    def floor(self, data: Dataset, num_splits: int = 4) -> float | None:
        """Return the same distance of real to real images, in the mean over random divisions of every class.

        In each, as many images as would be generated, at most half of the class, replace the generated images. None
        if a class has fewer than 4 images.
        """
        counts = labels_of(data).bincount()
        if int(counts.min()) < 4:
            return None

        def mean() -> float:
            values = list[float]()
            for c, num_fake in enumerate(self.labels(data).bincount().tolist()):
                values += split_distances(features_of(self.features, _of_class(data, c)), num_fake, num_splits)
            return sum(values) / len(values)

        return cache.value({"floor": self.fingerprint(data), "num_splits": num_splits}, mean)

    def _reference(self, data: Dataset, label: int, device: torch.device) -> Statistics:
        """Return the statistics of the real images of a class."""
        key = {"statistics": self.features.fingerprint(), "data": data.content_hash, "labels": labels_hash(data)}
        key |= {"class": label, "version": REFERENCE_VERSION}
        return cached_statistics(key, lambda: statistics_of(self.features, _of_class(data, label), device))


def _of_class(data: Dataset, label: int) -> Tensor:
    return data.samples[(labels_of(data) == label).nonzero()[:, 0]]
