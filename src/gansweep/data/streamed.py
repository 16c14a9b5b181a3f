"""Images that stay in their files, or in the memory of the host, and are read in batches."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, cast

import torch
from torch import Tensor

from gansweep.data.images import from_bytes
from gansweep.interfaces import Dataset
from gansweep.memory import available_bytes

BYTES_ABOVE = 256 << 20  # size in float32 above which images are held as bytes
PART = 1024  # images that are converted at a time
# Key and samples of the data set that was used last.
_held: tuple[Any, Tensor] | None = None


class Streamed:
    """Images (N, C, H, W) that are read when they are indexed, with the same values as in memory.

    It replaces the tensor of a data set where only length, shape, slices, batches and single images are used.
    `prefetch` reads a batch in the background, in one thread; the next request of the same indices gets it. Batches
    for CUDA are copied from pinned memory without waiting.

    Args:
        read: function from indices int64 (n,) to images float32 (n, C, H, W), both on the CPU.
        shape: (N, C, H, W).
        device: where batches are needed.
    """

    dtype, ndim = torch.float32, 4

    def __init__(
        self, read: Callable[[Tensor], Tensor], shape: tuple[int, ...], device: torch.device | str = "cpu"
    ) -> None:
        self.read, self.shape, self.device = read, torch.Size(shape), torch.device(device)
        self._pool: tuple[int, ThreadPoolExecutor] | None = None  # of the process that made it
        self._pending: tuple[Tensor, Future[Tensor]] | None = None

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Tensor | slice) -> Tensor:
        """Return the images of a slice, or of indices of any shape (..., ), on the device: (..., C, H, W)."""
        on_host = torch.arange(len(self))[index] if isinstance(index, slice) else index.cpu()
        pending, self._pending = self._pending, None
        if pending is not None and torch.equal(pending[0], on_host):
            images = pending[1].result()
        else:
            images = self._read(on_host)
        return images.to(self.device, non_blocking=True)

    def prefetch(self, index: Tensor) -> None:
        """Begin to read the images of indices (...,), which are expected to be the next ones."""
        if self._pool is None or self._pool[0] != os.getpid():  # a forked process has no threads
            self._pool = os.getpid(), ThreadPoolExecutor(1, "gansweep-data")
        on_host = index.cpu()
        self._pending = on_host, self._pool[1].submit(self._read, on_host)

    def split(self, size: int) -> Iterator[Tensor]:
        """Yield all images in parts of `size`."""
        for start in range(0, len(self), size):
            yield self[start : start + size]

    def to(self, device: torch.device) -> Streamed:
        """Return the same images for another device."""
        return self if device == self.device else Streamed(self.read, self.shape, device)

    def _read(self, index: Tensor) -> Tensor:
        images = self.read(index.flatten()).view(*index.shape, *self.shape[1:])
        return images.pin_memory() if self.device.type == "cuda" else images


def fit_in_memory(sample_shape: tuple[int, ...], count: int) -> bool:
    """Return whether `count` samples in float32 take at most half of the available memory."""
    return 8 * count * torch.Size(sample_shape).numel() <= available_bytes()


class ByteImages:
    """Images (N, C, H, W) held as bytes: a quarter of the memory of float32, with the same values.

    Indexing by a tensor returns float32. Every value is read from a table that was computed on the CPU, because a
    division on CUDA is rounded differently.

    Args:
        pixels: uint8 (N, C, H, W).
        values: of 0 ... 255, float32 (256,), on the same device.
    """

    dtype = torch.float32

    def __init__(self, pixels: Tensor, values: Tensor) -> None:
        self.pixels, self.values = pixels, values
        self.shape, self.device = pixels.shape, pixels.device

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, index: Tensor) -> Tensor:
        pixels = self.pixels[index]
        return self.values.index_select(0, pixels.flatten().int()).view(pixels.shape)


def samples_on(device: torch.device, data: Dataset, algorithm: Any = None) -> Tensor:
    """Return the samples of a data set on a device.

    The copy is kept until another data set is needed, so that packs share it. The copy of the previous data set is
    released before the next one is made. Large images whose values are those of bytes are held as bytes if the
    algorithm uses `len`, shape, device and single batches of the samples only (attribute `indexes_samples`).
    """
    global _held
    samples = data.samples
    if isinstance(samples, Streamed) or device.type == "cpu":
        return samples.to(device)
    may_be_bytes = getattr(algorithm, "indexes_samples", False) and _is_large(samples)
    key = data.name, data.content_hash, tuple(samples.shape), device, may_be_bytes
    if _held is None or _held[0] != key:
        _held = None
        pixels = as_pixels(samples) if may_be_bytes else None
        if pixels is None and may_be_bytes and not _fits(samples, device):
            copy = cast("Tensor", Streamed(samples.__getitem__, tuple(samples.shape), device))
        elif pixels is None:
            copy = samples.to(device)
        else:
            copy = cast("Tensor", ByteImages(pixels.to(device), _values().to(device)))
        _held = key, copy
    return _held[1]


def as_pixels(images: Tensor) -> Tensor | None:
    """Return the bytes uint8 (N, C, H, W) from which `from_bytes` makes exactly these images, None if there are none.

    >>> as_pixels(from_bytes(torch.tensor([[[[0, 1, 254, 255]]]], dtype=torch.uint8))).flatten().tolist()
    [0, 1, 254, 255]
    >>> as_pixels(torch.tensor([[[[0.3]]]]))
    """
    values = _values()
    pixels = torch.empty(images.shape, dtype=torch.uint8)
    for part, converted in zip(images.split(PART), pixels.split(PART), strict=True):
        converted.copy_(part.add(1).mul_(127.5).round_().clamp_(0, 255))
        if not torch.equal(values[converted.int()], part):
            return None
    return pixels


def _fits(samples: Tensor, device: torch.device) -> bool:
    """Return whether a copy takes at most half of the free memory of a GPU."""
    return device.type != "cuda" or 8 * samples.numel() <= torch.cuda.mem_get_info(device)[0]


def _values() -> Tensor:
    return from_bytes(torch.arange(256))


def _is_large(samples: Tensor) -> bool:
    return samples.ndim == 4 and samples.dtype == torch.float32 and 4 * samples.numel() > BYTES_ABOVE
