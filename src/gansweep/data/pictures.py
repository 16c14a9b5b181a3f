"""Image files cropped to squares and resized to one size."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gansweep.image_files import LeftOut, Picture, printable, read_image, resized

NUM_THREADS = 8  # decoding runs outside the interpreter's lock


def read_pictures(paths: Sequence[Path], size: int, crop: int | None, channels: int, left_out: LeftOut) -> Tensor:
    """Crop, resize and stack pictures, in the order of `paths`.

    Args:
        paths: of the files.
        size: side in pixels after resizing.
        crop: side of the central square that is resized; None for the largest.
        channels: 1 for grey or 3 for colour.
        left_out: takes in what of the files is not used.

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
    """Read one picture (channels, size, size)."""
    pixels, left_out = read_image(path, channels)
    height, width = pixels.shape[:2]
    side = min(width, height) if crop is None else crop
    if side > min(width, height):
        raise ValueError(f"{printable(path)} has {width} x {height} pixels, less than data.crop={crop}")
    left, top = (width - side) // 2, (height - side) // 2
    square = resized(pixels, (size, size), (left, top, left + side, top + side))
    return Picture(square.transpose(2, 0, 1), left_out)
