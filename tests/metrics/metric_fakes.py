"""Data sets of a few tensors, and a feature network without weights."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor


class Given:
    """Data set of given samples."""

    def __init__(self, samples: Tensor) -> None:
        self.name, self.samples = "given", samples
        self.sample_shape = tuple(samples.shape[1:])
        self.content_hash = hashlib.sha256(samples.numpy().tobytes()).hexdigest()

    def check(self) -> None:
        pass


@dataclass(frozen=True)
class Pixels:
    """Feature network that returns the pixels and counts the images."""

    batch_size: int = 7
    version: int = 1
    name: str = "pixels"
    frechet_name: str = "fd_pixels"
    read: ClassVar[list[int]] = [0]

    def check(self, sample_shape: tuple[int, ...]) -> None:
        pass

    def fingerprint(self) -> dict[str, Any]:
        return {"network": self.name, "version": self.version}

    def __call__(self, images: Tensor) -> Tensor:
        self.read[0] += len(images)
        return images.flatten(1)


def uniform_images(count: int, seed: int, shape: tuple[int, ...] = (1, 2, 2)) -> Tensor:
    return torch.rand(count, *shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1
