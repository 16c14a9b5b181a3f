"""Images from an .npz file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from gansweep.data.images import Images, check_memory, check_size, from_bytes, resized, with_mirrored
from gansweep.image_files import MODES
from gansweep.npz_file import read_array
from gansweep.user_path import user_path

LAYOUTS = "(N, H, W, C) or (N, C, H, W)"


@dataclass(frozen=True)
class Npz(Images):
    """Images stored as one uint8 array in an .npz file, scaled to [-1, 1].

        x = pixels / 127.5 - 1,   pixels in 0 ... 255

    The array is (N, H, W, C) or (N, C, H, W), or (N, H, W) for grey images. Conditional models get the array
    `labels` of the file, whole numbers 0, 1, 2, ... of shape (N,). Other arrays are ignored. Pickled objects are
    never loaded.

    Args:
        path: the file.
        key: name of the array in the file.
        size: side in pixels; images of another size are resized bilinearly.
        channels: 3 for colour, 1 for grey.
        flip: add the mirror image of every image.
    """

    path: str = "data/images.npz"
    key: str = "images"
    size: int = 32
    channels: int = 3
    flip: bool = False
    name: ClassVar[str] = "npz"

    def __post_init__(self) -> None:
        check_size(self.size)
        if self.channels not in MODES:
            raise ValueError(f"channels={self.channels}: expected 3 for colour or 1 for grey")

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """(channels, size, size)."""
        return self.channels, self.size, self.size

    def check(self) -> None:
        """Raise FileNotFoundError or ValueError if the file is missing or its images cannot be read."""
        if not user_path(self.path).is_file():
            raise FileNotFoundError(
                f"data={self.name}: no {self.path}. Write one with numpy.savez(path, images=pixels), pixels being "
                f"bytes {LAYOUTS}, or set data.path=<file>.npz"
            )
        check_memory(self, len(self._pixels) * (1 + self.flip))

    def read(self) -> Tensor:
        """Return the images (N, channels, size, size); with `flip`, (2 N, channels, size, size)."""
        images = resized(from_bytes(torch.from_numpy(self._pixels)), self.size)
        return with_mirrored(images) if self.flip else images

    def read_labels(self) -> Tensor | None:
        """Return the array `labels` of the file, int64 (N,); with `flip`, (2 N,). None if there is none."""
        try:
            labels = read_array(user_path(self.path), "labels")
        except KeyError:
            return None
        if labels.dtype.kind not in "iu" or labels.ndim != 1:
            raise ValueError(
                f"{self.path} has labels as {labels.dtype} of shape {labels.shape}, expected whole numbers (N,)"
            )
        labels = torch.from_numpy(labels.astype(np.int64))
        return torch.cat([labels, labels]) if self.flip else labels

    def hash_sources(self, digest: Any) -> None:
        """Update the digest with the pixels and their shape, independently of the compression."""
        digest.update(str(self._pixels.shape).encode())
        digest.update(self._pixels.data)

    @cached_property
    def _pixels(self) -> np.ndarray:
        """Return the pixels as uint8 (N, C, H, W)."""
        pixels, subject = self._array(), f"{self.path} has data.key={self.key}"
        if pixels.dtype != np.uint8:
            raise ValueError(f"{subject} as {pixels.dtype}, expected bytes (uint8) in 0 ... 255")
        if pixels.ndim == 3 and self.channels == 1:
            pixels = pixels[:, None]
        if pixels.ndim != 4 or self.channels not in (pixels.shape[1], pixels.shape[3]):
            raise ValueError(
                f"{subject} of shape {pixels.shape}, expected {LAYOUTS} with C = {self.channels}: choose another "
                "data.key, or data.channels=1 for grey images and 3 for colour"
            )
        if pixels.shape[1] != self.channels:
            pixels = pixels.transpose(0, 3, 1, 2)
        if pixels.size == 0 or pixels.shape[2] != pixels.shape[3]:
            raise ValueError(f"{subject}: {len(pixels)} images of {pixels.shape[2:]} pixels, expected square ones")
        return np.ascontiguousarray(pixels)

    def _array(self) -> np.ndarray:
        try:
            return read_array(user_path(self.path), self.key)
        except KeyError as error:
            names = ", ".join(error.args[0])
            raise ValueError(f"{self.path} has no data.key={self.key}, expected one of {names}") from None
