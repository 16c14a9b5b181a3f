"""Memory of the pretended device."""

from __future__ import annotations

import weakref
from collections import Counter

import torch

ALLOCATION_BYTES = 512  # smallest block of CUDA's caching allocator


class Memory:
    """Bytes of all live tensors of the device, as `torch.cuda.memory_allocated` counts them."""

    def __init__(self) -> None:
        self.live = self.peak = 0
        self._holders: Counter[int] = Counter()

    def add(self, wrapper: torch.Tensor, inner: torch.Tensor) -> None:
        """Count the storage of `inner` until all of its wrappers are freed."""
        storage = inner.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if inner.device.type == "meta":
            key, size = id(inner), inner.numel() * inner.element_size()
        size = -(-size // ALLOCATION_BYTES) * ALLOCATION_BYTES
        if not self._holders[key]:
            self.live += size
            self.peak = max(self.peak, self.live)
        self._holders[key] += 1
        weakref.finalize(wrapper, self._remove, key, size)

    def _remove(self, key: int, size: int) -> None:
        self._holders[key] -= 1
        if not self._holders[key]:
            del self._holders[key]
            self.live -= size


MEMORY = Memory()


def extent(tensor: torch.Tensor) -> int:
    """Return the bytes of a tensor's entries; broadcast dimensions count once."""
    size = tensor.element_size()
    for length, stride in zip(tensor.shape, tensor.stride(), strict=True):
        size *= length if stride else 1
    return size
