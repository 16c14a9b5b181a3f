"""Images from an .npz or .npy file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, cast

import numpy as np
import torch
from torch import Tensor

from gansweep.data.images import Images, check_memory, check_size, from_bytes, mirrored_above, resized, with_mirrored
from gansweep.data.streamed import Streamed, fit_in_memory
from gansweep.image_files import MODES
from gansweep.npz_file import map_array, map_npy, read_array, read_npy
from gansweep.user_path import user_path

PART = 1024  # images that are hashed at a time
LAYOUTS = "(N, H, W, C) or (N, C, H, W)"


@dataclass(frozen=True)
class Npz(Images):
    """Images stored as one uint8 array in an .npz or .npy file, scaled to [-1, 1].

        x = pixels / 127.5 - 1,   pixels in 0 ... 255

    The array is (N, H, W, C) or (N, C, H, W), or (N, H, W) for grey images. Conditional models get the array
    `labels` of the file, whole numbers 0, 1, 2, ... of shape (N,). Other arrays are ignored. An .npy
    is one array, without labels. Pickled objects are never loaded.

    Args:
        path: the file.
        key: name of the array in an .npz.
        size: side in pixels; images of another size are resized bilinearly.
        channels: 3 for colour, 1 for grey.
        flip: add the mirror image of every image.
        in_memory: false: read batches from the file; null: only if the images take more than half of the memory.
    """

    path: str = "data/images.npz"
    key: str = "images"
    size: int = 32
    channels: int = 3
    flip: bool = False
    in_memory: bool | None = None
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
                f"bytes {LAYOUTS}, or set data.path=<file>, an .npz or .npy"
            )
        if not self.is_streamed:
            check_memory(self, len(self._pixels) * (1 + self.flip))

    @cached_property
    def is_streamed(self) -> bool:
        """Whether batches are read from the file, because of `in_memory` or because the images do not fit in memory.

        Raises:
            ValueError: they cannot be read from the file.
        """
        mapped = None if self.in_memory else self._mapped
        if mapped is None:
            if self.in_memory is False:
                raise ValueError(
                    f"in_memory=false: {self.path} is compressed or has no {self.key}; expected a file of numpy.savez "
                    "or numpy.save"
                )
            return False
        return self.in_memory is False or not fit_in_memory(self.sample_shape, len(mapped) * (1 + self.flip))

    def read(self) -> Tensor:
        """Return the images (N, channels, size, size); with `flip`, (2 N, channels, size, size)."""
        images = resized(from_bytes(torch.from_numpy(self._pixels)), self.size)
        return with_mirrored(images) if self.flip else images

    def stream(self) -> Streamed:
        """Return the same images, read from the file in batches."""
        mapped = self._laid_out(cast("np.ndarray", self._mapped))

        def read(index: Tensor) -> Tensor:
            pixels = torch.from_numpy(np.ascontiguousarray(mapped[(index % len(mapped)).numpy()]))
            return mirrored_above(len(mapped), index, resized(from_bytes(pixels), self.size))

        return Streamed(read, (len(mapped) * (1 + self.flip), *self.sample_shape))

    def read_labels(self) -> Tensor | None:
        """Return the array `labels` of the file, int64 (N,); with `flip`, (2 N,). None if there is none."""
        if self._is_npy:
            return None
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
        pixels = self._laid_out(cast("np.ndarray", self._mapped)) if self.is_streamed else self._pixels
        digest.update(str(pixels.shape).encode())
        for start in range(0, len(pixels), PART):
            digest.update(np.ascontiguousarray(pixels[start : start + PART]).data)

    @cached_property
    def _pixels(self) -> np.ndarray:
        """Return the pixels as uint8 (N, C, H, W)."""
        return np.ascontiguousarray(self._laid_out(self._array()))

    @cached_property
    def _mapped(self) -> np.ndarray | None:
        """Return the array of an uncompressed file, mapped into memory."""
        return map_npy(user_path(self.path)) if self._is_npy else map_array(user_path(self.path), self.key)

    @property
    def _is_npy(self) -> bool:
        return self.path.endswith(".npy")

    def _laid_out(self, pixels: np.ndarray) -> np.ndarray:
        """Return a view (N, C, H, W) of the pixels; raise ValueError if they are not images."""
        subject = f"{self.path} has {'an array' if self._is_npy else f'data.key={self.key}'}"
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
        return pixels

    def _array(self) -> np.ndarray:
        if self._is_npy:
            return read_npy(user_path(self.path))
        try:
            return read_array(user_path(self.path), self.key)
        except KeyError as error:
            names = ", ".join(error.args[0])
            raise ValueError(f"{self.path} has no data.key={self.key}, expected one of {names}") from None
