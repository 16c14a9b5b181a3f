"""Parallel reading of image files, with cropping and resizing."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gansweep.image_files import LeftOut, Picture, printable, read_image, resized

NUM_THREADS = 8  # decoding releases the global interpreter lock


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
    square = resized(pixels, (size, size), (left, top, left + side, top + side))
    return Picture(square.transpose(2, 0, 1), left_out)
