"""What a feature network is, and how samples go through it.

To add one (DINO, CLIP, a classifier of your own), write a frozen dataclass with these members and
a yaml that names it under `features`.
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
    """Images to vectors in which distances mean something. `batch_size` may be a plain field."""

    @property
    def name(self) -> str:
        """Network and weights in one word."""
        ...

    @property
    def frechet_name(self) -> str:
        """What a table calls a Fréchet distance on these features."""
        ...

    @property
    def batch_size(self) -> int:
        """Images in one forward pass."""
        ...

    def check(self, sample_shape: tuple[int, ...]) -> None:
        """Raise ValueError if samples of this shape can't be read or the weights can't be had."""
        ...

    def fingerprint(self) -> dict[str, Any]:
        """Weights, input range, resizing: what makes two features comparable, in JSON's types."""
        ...

    def __call__(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) in [-1, 1] to features (B, D)."""
        ...


def feature_batches(network: FeatureNetwork, images: Tensor, device: torch.device | None = None) -> Iterator[Tensor]:
    """Pass images (N, C, H, W) through a network, in float32 whatever the training computes in.

    Batches go to `device` one by one; by default the network runs where the images are.

    Raises:
        ValueError: they are not finite or not in [-1, 1].
    """
    require_images(images)
    device = device or images.device
    for batch in images.split(network.batch_size):
        with torch.no_grad(), full_precision(device):
            features = network(batch.to(device, torch.float32))
        yield features


def statistics_of(network: FeatureNetwork, images: Tensor, device: torch.device | None = None) -> Statistics:
    """Mean and covariance of the features of images (N, C, H, W)."""
    moments = Moments()
    for features in feature_batches(network, images, device):
        moments.add(features)
    return moments.statistics()


def features_of(network: FeatureNetwork, images: Tensor, device: torch.device | None = None) -> Tensor:
    """Features (N, D) of images (N, C, H, W), float32 on the CPU."""
    return torch.cat([features.cpu() for features in feature_batches(network, images, device)])


def require_two(name: str, data: Dataset) -> None:
    """Refuse a data set without a covariance.

    Raises:
        ValueError: there are fewer than two samples.
    """
    if len(data.samples) < 2:
        raise ValueError(f"{name} needs at least 2 samples of {data.name}, it has {len(data.samples)}")


def require_images(images: Tensor) -> None:
    """Refuse images (N, C, H, W) that would give a number without a meaning.

    Raises:
        ValueError: values are not finite, or out of [-1, 1] by more than rounding.
    """
    low, high = images.min().item(), images.max().item()
    if not images.isfinite().all():
        raise ValueError("images are not finite: no distance to them is meaningful")
    if low < -1.00001 or high > 1.00001:
        raise ValueError(f"images lie in [{low:.6g}, {high:.6g}]: expected [-1, 1]")


@contextlib.contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Switch TF32 and autocast off, so that a value does not depend on the training's precision."""
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
