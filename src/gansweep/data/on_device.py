"""The data set on the device to train on: one copy for all packs of the process."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor

from gansweep.data.images import from_bytes
from gansweep.data.streamed import Streamed
from gansweep.interfaces import Dataset

BYTES_ABOVE = 256 << 20  # size in float32 above which images are held as bytes
PART = 1024  # images that are converted at a time

# Key and samples of the data set that was used last.
_held: tuple[Any, Tensor] | None = None


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
