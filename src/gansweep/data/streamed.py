"""Images that stay in their files, or in the memory of the host, and are read in batches."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import torch
from torch import Tensor

from gansweep.memory import available_bytes


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
