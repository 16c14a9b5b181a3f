"""Peak signal-to-noise ratio of pairs of images."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from gansweep.held_out import held_out
from gansweep.interfaces import Dataset


def psnr(images: Tensor, targets: Tensor, value_range: float = 2.0) -> float:
    """Compare images (N, C, H, W) with their targets, in decibels; infinite when they are equal.

        PSNR = 10 log10( range^2 / MSE ),   MSE over all images together

    Args:
        images: what was made.
        targets: what it should be.
        value_range: from the least to the greatest value, 2 in [-1, 1].

    Raises:
        ValueError: different shapes.
    """
    _require_pairs(images, targets)
    error = (images.double() - targets.double()).square().mean().item()
    return 10 * math.log10(value_range**2 / error) if error else math.inf


def psnr_of_each(images: Tensor, targets: Tensor, value_range: float = 2.0) -> Tensor:
    """Compare every image of (N, C, H, W) with its target, in decibels: (N,), infinite where they are equal.

    The mean of these is at least what `psnr` says, which is that of the mean error: -log10 is convex.

    Raises:
        ValueError: different shapes.
    """
    _require_pairs(images, targets)
    error = (images.double() - targets.double()).square().flatten(1).mean(1)
    return 10 * torch.log10(value_range**2 / error)


class Decibels(NamedTuple):
    """Mean and standard deviation over images that differ from their targets, and how many do not."""

    mean: float
    std: float
    num_equal: int


def summary(decibels: Tensor) -> Decibels | None:
    """Average finite values of (N,), None if there are none; one value has a deviation of 0."""
    finite = decibels[decibels.isfinite()]
    if len(finite) == 0:
        return None
    std = finite.std().item() if len(finite) > 1 else 0.0
    return Decibels(finite.mean().item(), std, len(decibels) - len(finite))


@dataclass(frozen=True)
class PSNR:
    """Mean of the decibels between restored images and what they were before they were spoiled.

    For algorithms that restore: they make every held out image in `versions` ways, one way after the other.
    All ways count alike. An image that is restored to the last bit is left out.

    Args:
        num_images: held out images, the algorithm's `num_test`.
        versions: in how many ways each of them is spoiled.
    """

    num_images: int = 200
    versions: int = 5
    name: ClassVar[str] = "psnr"
    lower_is_better: ClassVar[bool] = False
    of_pairs: ClassVar[bool] = True
    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        for name in ("num_images", "versions"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: expected 1 or more")

    @property
    def num_samples(self) -> int:
        """Every image in every version."""
        return self.num_images * self.versions

    def check(self, data: Dataset) -> None:
        """Raise ValueError unless the data are images, and more than are held out."""
        if len(data.sample_shape) != 3:
            raise ValueError(f"{self.name} compares images, samples of {data.name} are {data.sample_shape}")
        if self.num_images >= len(data.samples):
            most = len(data.samples) - 1
            raise ValueError(f"num_images={self.num_images}: {data.name} has {most + 1}, expected at most {most}")

    def fingerprint(self, data: Dataset) -> dict[str, Any]:
        """Name, version, data and both numbers."""
        return {
            "metric": self.name,
            "version": self.version,
            "data": data.content_hash,
            "n_real": self.num_images,
            "n_fake": self.num_samples,
        }

    def __call__(self, data: Dataset, fake: Tensor) -> float:
        """Measure restored images (versions * num_images, C, H, W).

        Raises:
            ValueError: their number is another.
        """
        if len(fake) != self.num_samples:
            raise ValueError(f"{len(fake)} restored images: {self.name} is set to {self.num_samples}")
        test = held_out(len(data.samples), self.num_images).test
        targets = data.samples[test.to(data.samples.device)].to(fake.device)
        found = summary(psnr_of_each(fake, targets.repeat(self.versions, 1, 1, 1)))
        if found is None:
            raise ValueError(f"{self.name}: all images are restored to the last bit, and the mean is infinite")
        return found.mean


def _require_pairs(images: Tensor, targets: Tensor) -> None:
    if images.shape != targets.shape:
        raise ValueError(f"images {tuple(images.shape)} and targets {tuple(targets.shape)} do not pair")
