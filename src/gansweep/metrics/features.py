"""Feature networks, statistics of features, and the base class of metrics on features.

To add a network (DINO, CLIP, a custom classifier), write a frozen dataclass with the members of
`FeatureNetwork` and a yaml whose `features` names it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

import torch
from torch import Tensor

from gansweep.device import restored_matmul_precision, set_matmul_precision
from gansweep.interfaces import Dataset
from gansweep.metrics import cache
from gansweep.metrics.statistics import Moments, Statistics
from gansweep.seeding import Streams

REFERENCE_VERSION = 1  # of the cached statistics and features of real images


@runtime_checkable
class FeatureNetwork(Protocol):
    """Map images to feature vectors. `batch_size` may be a dataclass field."""

    @property
    def name(self) -> str:
        """Name of the network and its weights, without spaces."""
        ...

    @property
    def frechet_name(self) -> str:
        """Name of the Fréchet distance on these features, in tables and records."""
        ...

    @property
    def batch_size(self) -> int:
        """Images per forward pass."""
        ...

    def check(self, sample_shape: tuple[int, ...]) -> None:
        """Raise ValueError if samples of this shape are not accepted or the weights are unavailable."""
        ...

    def fingerprint(self) -> dict[str, Any]:
        """Return what determines the features (weights, input range, resizing), in JSON types."""
        ...

    def __call__(self, images: Tensor) -> Tensor:
        """Return the features (B, D) of images (B, C, H, W) in [-1, 1]."""
        ...


def feature_batches(network: FeatureNetwork, images: Tensor, device: torch.device | None = None) -> Iterator[Tensor]:
    """Yield the features (B, D) of images (N, C, H, W) in batches, always in float32.

    Batches are moved to `device` one by one; the default is the device of the images.

    Raises:
        ValueError: the images are not finite or not in [-1, 1].
    """
    device = device or images.device
    for batch in images.split(network.batch_size):
        require_images(batch)
        with torch.no_grad(), full_precision(device):
            features = network(batch.to(device, torch.float32))
        yield features


def statistics_of(network: FeatureNetwork, images: Tensor, device: torch.device | None = None) -> Statistics:
    """Return the mean and covariance of the features of images (N, C, H, W)."""
    moments = Moments()
    for features in feature_batches(network, images, device):
        moments.add(features)
    return moments.statistics()


def features_of(network: FeatureNetwork, images: Tensor, device: torch.device | None = None) -> Tensor:
    """Return the features (N, D) of images (N, C, H, W), float32 on the CPU."""
    return torch.cat([features.cpu() for features in feature_batches(network, images, device)])


def require_two(name: str, data: Dataset) -> None:
    """Raise ValueError if a data set has fewer than two samples, for which no covariance exists."""
    if len(data.samples) < 2:
        raise ValueError(f"{name} needs at least 2 samples of {data.name}, it has {len(data.samples)}")


def require_number(metric: Any, fake: Tensor) -> None:
    """Raise ValueError unless there are `num_samples` generated images, as a metric is set to."""
    if len(fake) != metric.num_samples:
        raise ValueError(f"{len(fake)} generated samples: {metric.name} is set to num_samples={metric.num_samples}")


def require_images(images: Tensor) -> None:
    """Raise ValueError unless images are finite and in [-1, 1] up to rounding errors."""
    low, high, is_finite = torch.stack([images.min(), images.max(), images.isfinite().all().to(images.dtype)]).tolist()
    if not is_finite:
        raise ValueError("images are not finite: no distance to them is meaningful")
    if low < -1.00001 or high > 1.00001:
        raise ValueError(f"images lie in [{low:.6g}, {high:.6g}]: expected [-1, 1]")


@contextlib.contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Disable TF32 and autocast, so that metric values do not depend on the training precision."""
    with restored_matmul_precision(), torch.autocast(device.type, enabled=False):
        set_matmul_precision("fp32")
        yield


def reference_statistics(
    network: FeatureNetwork,
    data: Dataset,
    device: torch.device,
    drawn: int | None = None,
    with_replacement: bool = True,
) -> Statistics:
    """Return the mean (D,) and covariance (D, D) of the features of the real images.

    Args:
        network: the feature network.
        data: the real images.
        device: device of the network.
        drawn: number of real images, drawn with a fixed seed; None for all.
        with_replacement: draw with replacement.
    """
    key = {"statistics": network.fingerprint(), "data": data.content_hash, "drawn": drawn, "version": REFERENCE_VERSION}
    if drawn is not None and not with_replacement:
        key["with_replacement"] = False

    def compute() -> Statistics:
        samples = data.samples
        if drawn is not None:
            generator = Streams(0)["replacement"]
            if with_replacement:
                indices = torch.randint(len(samples), (drawn,), generator=generator)
            else:
                indices = torch.randperm(len(samples), generator=generator)[:drawn]
            samples = samples[indices.to(samples.device)]
        return statistics_of(network, samples, device)

    return cached_statistics(key, compute)


def cached_statistics(key: Mapping[str, Any], compute: Callable[[], Statistics]) -> Statistics:
    """Return the statistics stored under a key; the result of `compute`, which is stored, if there are none."""

    def arrays() -> dict[str, Any]:
        statistics = compute()
        mean, spread = statistics.mean.numpy(), statistics.spread.numpy()
        return {"mean": mean, "spread": spread, "count": statistics.count, "is_root": statistics.is_root}

    stored = cache.remembered(key, arrays)
    mean, spread = torch.from_numpy(stored["mean"]), torch.from_numpy(stored["spread"])
    return Statistics(mean, spread, int(stored["count"]), bool(stored["is_root"]))


def reference_features(network: FeatureNetwork, data: Dataset, count: int, device: torch.device) -> Tensor:
    """Return the features (n, D) of n = min(count, N) real images, drawn with a fixed seed."""
    count = min(count, len(data.samples))
    key = {"features": network.fingerprint(), "data": data.content_hash, "count": count, "version": REFERENCE_VERSION}

    def compute() -> dict[str, Any]:
        indices = torch.randperm(len(data.samples), generator=Streams(0)["reference"])[:count]
        return {"features": features_of(network, data.samples[indices.to(data.samples.device)], device).numpy()}

    return torch.from_numpy(cache.remembered(key, compute)["features"])


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
        """Raise ValueError if samples do not fit or are too few, or weights are unavailable."""
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
        require_number(self, fake)
        real = reference_features(self.features, data, self.num_samples, fake.device)
        return real.double(), features_of(self.features, fake).double()
