"""The protocol of feature networks, and the computation of features and their statistics.

To add a network (DINO, CLIP, a custom classifier), write a frozen dataclass with the members of
`FeatureNetwork` and a yaml whose `features` names it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from operator import attrgetter
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from gansweep.interfaces import Dataset
from gansweep.metrics.statistics import Moments, Statistics


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
    """Yield the features (B, D) of images (N, C, H, W) in batches, in float32 independently of the training precision.

    Batches are moved to `device` one by one; the default is the device of the images.

    Raises:
        ValueError: the images are not finite or not in [-1, 1].
    """
    require_images(images)
    device = device or images.device
    for batch in images.split(network.batch_size):
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


def require_images(images: Tensor) -> None:
    """Raise ValueError if images (N, C, H, W) are not finite, or outside [-1, 1] by more than rounding errors."""
    low, high = images.min().item(), images.max().item()
    if not images.isfinite().all():
        raise ValueError("images are not finite: no distance to them is meaningful")
    if low < -1.00001 or high > 1.00001:
        raise ValueError(f"images lie in [{low:.6g}, {high:.6g}]: expected [-1, 1]")


@contextlib.contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Disable TF32 and autocast, so that metric values do not depend on the training precision."""
    modes = attrgetter("cuda.matmul", "cudnn.conv")(torch.backends)
    before = [mode.fp32_precision for mode in modes]
    for mode in modes:
        mode.fp32_precision = "ieee"
    try:
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        for mode, precision in zip(modes, before, strict=True):
            mode.fp32_precision = precision
