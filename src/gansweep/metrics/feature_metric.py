"""Base class of metrics on the features of real and generated images."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from torch import Tensor

from gansweep.interfaces import Dataset
from gansweep.metrics.features import FeatureNetwork, features_of, require_two
from gansweep.metrics.reference import reference_features


@dataclass(frozen=True)
class FeatureMetric:
    """Metric on features of `num_samples` generated images and at most as many real images.

    Args:
        features: the feature network, whose name is part of the name of the metric.
        num_samples: generated images per evaluation, and maximum number of real images.
    """

    features: FeatureNetwork
    num_samples: int = 5000
    title: ClassVar[str]
    lower_is_better: ClassVar[bool] = True
    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if self.num_samples < 2:
            raise ValueError(f"num_samples={self.num_samples}: expected at least 2")

    @property
    def name(self) -> str:
        """Name in tables and records."""
        return f"{self.title}_{self.features.name}"

    def check(self, data: Dataset) -> None:
        """Raise ValueError if the samples do not fit the network, weights are unavailable, or samples are too few."""
        self.features.check(data.sample_shape)
        require_two(self.name, data)

    def fingerprint(self, data: Dataset) -> dict[str, Any]:
        """Return name, version, settings, feature network, data and both numbers of samples."""
        settings = {k: v for k, v in asdict(self).items() if k not in ("features", "num_samples")}
        return {
            "metric": self.name,
            "version": self.version,
            **settings,
            "features": self.features.fingerprint(),
            "data": data.content_hash,
            "n_real": min(self.num_samples, len(data.samples)),
            "n_fake": self.num_samples,
        }

    def both(self, data: Dataset, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Return the features of the real and of the generated images, each (N, D) float64.

        Raises:
            ValueError: the number of generated images is not `num_samples`.
        """
        if len(fake) != self.num_samples:
            raise ValueError(f"{len(fake)} generated samples: {self.name} is set to num_samples={self.num_samples}")
        real = reference_features(self.features, data, self.num_samples, fake.device)
        return real.double(), features_of(self.features, fake).double()
