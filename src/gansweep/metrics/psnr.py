"""Peak signal-to-noise ratio of pairs of images, on held-out images of a data set."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from gansweep.device import finest
from gansweep.interfaces import Dataset
from gansweep.seeding import Streams


def psnr(images: Tensor, targets: Tensor, value_range: float = 2.0) -> float:
    """Return the peak signal-to-noise ratio of images (N, C, H, W), in decibels.

        PSNR = 10 log10( range^2 / MSE ),   MSE: mean over all images

    It is infinite if all images equal their targets.

    Args:
        images: restored images.
        targets: original images, of the same shape.
        value_range: length of the range of values; 2 for [-1, 1].

    Raises:
        ValueError: the shapes differ.
    """
    _require_pairs(images, targets)
    error = _squared_error(images, targets).mean().item()
    return 10 * math.log10(value_range**2 / error) if error else math.inf


def psnr_of_each(images: Tensor, targets: Tensor, value_range: float = 2.0) -> Tensor:
    """Return the PSNR (N,) of each image, in decibels; infinite if it equals its target.

    The mean of these values is at least `psnr`, which uses the mean squared error over all images,
    because -log10 is convex.

    Raises:
        ValueError: the shapes differ.
    """
    _require_pairs(images, targets)
    error = _squared_error(images, targets).flatten(1).mean(1)
    return 10 * torch.log10(value_range**2 / error)


class Decibels(NamedTuple):
    """Statistics over the images that differ from their targets, and the number of others."""

    mean: float
    std: float
    num_equal: int


def summary(decibels: Tensor) -> Decibels | None:
    """Return the statistics of the finite values of (N,), or None if there are none."""
    finite = decibels[decibels.isfinite()]
    if len(finite) == 0:
        return None
    std = finite.std().item() if len(finite) > 1 else 0.0
    return Decibels(finite.mean().item(), std, len(decibels) - len(finite))


@dataclass(frozen=True)
class PSNR:
    """PSNR: mean peak signal-to-noise ratio between restored and original images, in decibels.

    For denoising algorithms, which restore `versions` corrupted versions of each held-out image,
    ordered by corruption. All corruptions have equal weight. Images restored exactly are excluded.

    Args:
        num_images: number of held-out images, equal to `num_test` of the algorithm.
        versions: number of corrupted versions of each held-out image.
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
        """Number of restored images: num_images * versions."""
        return self.num_images * self.versions

    def check(self, data: Dataset) -> None:
        """Raise ValueError unless the data are images and more than `num_images`."""
        if len(data.sample_shape) != 3:
            raise ValueError(f"{self.name} compares images, samples of {data.name} are {data.sample_shape}")
        if self.num_images >= len(data.samples):
            most = len(data.samples) - 1
            raise ValueError(f"num_images={self.num_images}: {data.name} has {most + 1}, expected at most {most}")

    def fingerprint(self, data: Dataset) -> dict[str, Any]:
        """Return name, version, data and both numbers of images."""
        return {
            "metric": self.name,
            "version": self.version,
            "data": data.content_hash,
            "n_real": self.num_images,
            "n_fake": self.num_samples,
        }

    def __call__(self, data: Dataset, fake: Tensor) -> float:
        """Return the mean PSNR of restored images (versions * num_images, C, H, W).

        Raises:
            ValueError: the number of images differs, or all images are restored exactly.
        """
        if len(fake) != self.num_samples:
            raise ValueError(f"{len(fake)} restored images: {self.name} is set to {self.num_samples}")
        test = held_out(len(data.samples), self.num_images).test
        targets = data.samples[test.to(data.samples.device)].to(fake.device)
        decibels = summary(psnr_of_each(fake, targets.repeat(self.versions, 1, 1, 1)))
        if decibels is None:
            raise ValueError(f"{self.name}: all images are restored exactly, so the mean is infinite")
        return decibels.mean


def _squared_error(images: Tensor, targets: Tensor) -> Tensor:
    """Return the squared errors of all entries, in the highest precision of the device."""
    dtype = finest(images.device)
    return (images.to(dtype) - targets.to(dtype)).square()


def _require_pairs(images: Tensor, targets: Tensor) -> None:
    if images.shape != targets.shape:
        raise ValueError(f"images {tuple(images.shape)} and targets {tuple(targets.shape)}: expected equal shapes")


class Division(NamedTuple):
    """Disjoint indices of the training and the test samples, which together cover the data set."""

    train: Tensor
    test: Tensor


def held_out(num_samples: int, num_test: int) -> Division:
    """Divide a data set at random, with a fixed seed: equal arguments give equal divisions.

    >>> [part.tolist() for part in held_out(5, 2)] == [part.tolist() for part in held_out(5, 2)]
    True

    Raises:
        ValueError: there would be no training samples or no test samples.
    """
    if not 0 < num_test < num_samples:
        raise ValueError(f"{num_test} of {num_samples} samples held out: expected at least one in each part")
    order = torch.randperm(num_samples, generator=Streams(0)["held out"])
    return Division(order[num_test:], order[:num_test])
