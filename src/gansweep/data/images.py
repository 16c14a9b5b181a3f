"""Base class of image data sets: lazy reading, validation, content hash; reading of image files."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from functools import cached_property, partial
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gansweep.data.streamed import Streamed
from gansweep.image_files import LeftOut, Picture, printable, read_image, resized_pixels
from gansweep.memory import require_memory

WHERE = ("root", "path", "download", "in_memory")  # where files and images are; excluded from the content hash
NUM_THREADS = 8  # decoding releases the global interpreter lock


class UnreadableImages(ValueError):
    """The files of a data set cannot be read."""


@dataclass(frozen=True)
class Images(ABC):
    """Image data set as one tensor in [-1, 1], read at first use and cached.

    A subclass implements the reading. The content hash covers the bytes of the sources and all fields
    of the subclass, except those for the location of the files.
    """

    name: ClassVar[str]

    @property
    @abstractmethod
    def sample_shape(self) -> tuple[int, ...]:
        """Shape (C, H, W) of one image, available without reading files."""

    @abstractmethod
    def check(self) -> None:
        """Raise FileNotFoundError or ValueError if the data cannot be read, naming the files."""

    @abstractmethod
    def read(self) -> Tensor:
        """Return all images, read from the sources, float32 (N, C, H, W) in [-1, 1]."""

    @abstractmethod
    def hash_sources(self, digest: Any) -> None:
        """Update a digest with all bytes that `read` uses."""

    @cached_property
    def is_streamed(self) -> bool:
        """Whether `samples` is a `Streamed`, which is read in batches, and not a tensor."""
        return False

    def stream(self) -> Streamed:
        """Return all images as `Streamed`; called if `is_streamed`."""
        raise NotImplementedError(f"{self.name} is held in memory")

    def read_labels(self) -> Tensor | None:
        """Return the class of every image, int64 (N,), in 0 ... C - 1; None for a data set without labels."""
        return None

    @cached_property
    def labels(self) -> Tensor | None:
        """Class of every image, int64 (N,), in 0 ... C - 1; None for a data set without labels."""
        return self.read_labels()

    @cached_property
    def samples(self) -> Tensor:
        """All images, float32 (N, C, H, W) in [-1, 1]."""
        try:
            self.check()
            if self.is_streamed:
                return cast("Tensor", self.stream())
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
        """SHA-256 of the bytes of the sources and of the settings that determine the samples."""
        self.check()
        digest = hashlib.sha256()
        self.hash_sources(digest)
        settings = {field.name: getattr(self, field.name) for field in fields(self) if field.name not in WHERE}
        digest.update(json.dumps({"name": self.name} | settings, sort_keys=True).encode())
        return digest.hexdigest()


def from_bytes(pixels: Tensor) -> Tensor:
    """Map 0 ... 255 to float32 in [-1, 1], exact at both ends. Floats are changed in place."""
    return pixels.float().div_(127.5).sub_(1)


def resized(images: Tensor, size: int) -> Tensor:
    """Resize images (N, C, H, W) bilinearly, with anti-aliasing when the size decreases."""
    if images.shape[-2:] == (size, size):
        return images
    images = F.interpolate(images, (size, size), mode="bilinear", align_corners=False, antialias=True)
    return images.clamp_(-1, 1)  # averages leave the range only by rounding errors


def with_mirrored(images: Tensor) -> Tensor:
    """Return the images and their mirror images: (2 N, C, H, W) for (N, C, H, W).

    Random sampling from the result is equivalent to random horizontal flips, and the reference samples
    of a metric include the mirror images as well. It takes twice the memory.
    """
    return torch.cat([images, images.flip(-1)])


def mirrored_above(count: int, index: Tensor, images: Tensor) -> Tensor:
    """Return images (n, C, H, W), mirrored where their index (n,) is `count` or above, as in `with_mirrored`."""
    return torch.where((index >= count)[:, None, None, None], images.flip(-1), images)


def check_memory(data: Images, count: int) -> None:
    """Raise ValueError if `count` images of a data set's size do not fit in memory."""
    if "samples" not in vars(data):  # images that are already read do fit
        channels, size, _ = data.sample_shape
        require_memory("size", size, f"{count} images of {data.name}", 4 * channels * count, power=2)


def check_size(size: int) -> None:
    """Raise ValueError unless the side of an image is at least 1 pixel."""
    if size < 1:
        raise ValueError(f"size={size}: expected pixels, 1 or more")


def check_choice(name: str, value: str, accepted: tuple[str, ...]) -> None:
    """Raise ValueError unless `value` is one of the accepted values."""
    if value not in accepted:
        raise ValueError(f"{name}={value}: expected {' or '.join(accepted)}")


def read_pictures(paths: Sequence[Path], size: int, crop: int | None, channels: int, left_out: LeftOut) -> Tensor:
    """Read, crop and resize images, and stack them in the order of `paths`.

    Args:
        paths: the image files.
        size: side in pixels after resizing.
        crop: side in pixels of the central square that is cropped; None for the largest.
        channels: 1 for grey or 3 for colour.
        left_out: collects file contents that are not used.

    Returns:
        (N, channels, size, size) in 0 ... 255: uint8, or float32 if a file has more than 8 bits.
    """
    with ThreadPoolExecutor(NUM_THREADS) as pool:
        pictures = list(pool.map(partial(_read, size=size, crop=crop, channels=channels), paths))
    for path, picture in zip(paths, pictures, strict=True):
        for kind in picture.left_out:
            left_out.add(kind, printable(path.name))
    return torch.from_numpy(np.stack([picture.pixels for picture in pictures]))


def _read(path: Path, size: int, crop: int | None, channels: int) -> Picture:
    """Return one image (channels, size, size)."""
    pixels, left_out = read_image(path, channels)
    height, width = pixels.shape[:2]
    side = min(width, height) if crop is None else crop
    if side > min(width, height):
        raise ValueError(f"{printable(path)} has {width} x {height} pixels, less than data.crop={crop}")
    left, top = (width - side) // 2, (height - side) // 2
    square = resized_pixels(pixels, (size, size), (left, top, left + side, top + side))
    return Picture(square.transpose(2, 0, 1), left_out)
