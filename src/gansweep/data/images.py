"""What all sets of images have in common: read once, checked, hashed."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from gansweep.memory import require_memory

WHERE = ("root", "path", "download")  # fields that say where pixels come from, not what they are


class UnreadableImages(ValueError):
    """Files of a data set cannot be read, whoever asked for its samples."""


@dataclass(frozen=True)
class Images(ABC):
    """Images as one tensor in [-1, 1], read at first use and kept.

    A subclass tells where the pixels are. Its fields, but for those that only say where to find
    the files, enter the content hash together with the bytes.
    """

    name: ClassVar[str]

    @property
    @abstractmethod
    def sample_shape(self) -> tuple[int, ...]:
        """(C, H, W), known without reading."""

    @abstractmethod
    def check(self) -> None:
        """Raise FileNotFoundError or ValueError, saying what to put where, if it can't be read."""

    @abstractmethod
    def read(self) -> Tensor:
        """Read all images, float32 (N, C, H, W) in [-1, 1]."""

    @abstractmethod
    def hash_sources(self, digest: Any) -> None:
        """Update a digest with all bytes that `read` looks at."""

    @cached_property
    def samples(self) -> Tensor:
        """All images, float32 (N, C, H, W) in [-1, 1]."""
        try:
            self.check()
            images = self.read()
        except ValueError as error:
            raise UnreadableImages(str(error)) from error
        if images.dtype != torch.float32 or tuple(images.shape[1:]) != self.sample_shape:
            raise ValueError(f"{self.name}: read {tuple(images.shape[1:])}, expected {self.sample_shape}")
        low, high = images.aminmax()
        if not (low >= -1 and high <= 1):
            raise ValueError(f"{self.name}: values from {low:g} to {high:g}, expected [-1, 1]")
        return images

    @cached_property
    def content_hash(self) -> str:
        """Hash of the sources' bytes and of the settings by which samples are made of them."""
        self.check()
        digest = hashlib.sha256()
        self.hash_sources(digest)
        settings = {field.name: getattr(self, field.name) for field in fields(self) if field.name not in WHERE}
        digest.update(json.dumps({"name": self.name} | settings, sort_keys=True).encode())
        return digest.hexdigest()


def from_bytes(pixels: Tensor) -> Tensor:
    """Map values 0 ... 255 of any shape to float32 in [-1, 1], with both ends exact. Floats are changed in place."""
    return pixels.float().div_(127.5).sub_(1)


def resized(images: Tensor, size: int) -> Tensor:
    """Resize (N, C, H, W) bilinearly, with anti-aliasing where that makes it smaller."""
    if images.shape[-2:] == (size, size):
        return images
    images = F.interpolate(images, (size, size), mode="bilinear", align_corners=False, antialias=True)
    return images.clamp_(-1, 1)  # averages leave the range by rounding alone


def with_mirrored(images: Tensor) -> Tensor:
    """Append every image's mirror image: (N, C, H, W) to (2 N, C, H, W).

    Drawn from at random, these are the images under a random flip, and the metric's reference
    has both sides too. Twice the memory is its price.
    """
    return torch.cat([images, images.flip(-1)])


def check_memory(data: Images, count: int) -> None:
    """Raise ValueError if `count` images of a data set's size do not fit in memory."""
    if "samples" not in vars(data):  # they do, once they are read
        channels, size, _ = data.sample_shape
        require_memory("size", size, f"{count} images of {data.name}", 4 * channels * count, power=2)


def check_size(size: int) -> None:
    """Raise ValueError unless an image can have that side."""
    if size < 1:
        raise ValueError(f"size={size}: expected pixels, 1 or more")


def check_choice(name: str, value: str, accepted: tuple[str, ...]) -> None:
    """Raise ValueError unless `value` is one of the accepted words."""
    if value not in accepted:
        raise ValueError(f"{name}={value}: expected {' or '.join(accepted)}")
