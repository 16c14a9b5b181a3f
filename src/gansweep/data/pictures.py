"""Image files of any kind and size, as bytes of one size."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

MODES = {1: "L", 3: "RGB"}
NUM_THREADS = 8  # decoding runs outside the interpreter's lock


def read_pictures(paths: Sequence[Path], size: int, crop: int | None, channels: int) -> Tensor:
    """Crop, resize and stack pictures: bytes (N, channels, size, size), in the order of `paths`."""
    with ThreadPoolExecutor(NUM_THREADS) as pool:
        arrays = list(pool.map(partial(_read, size=size, crop=crop, channels=channels), paths))
    return torch.from_numpy(np.stack(arrays))


def _read(path: Path, size: int, crop: int | None, channels: int) -> np.ndarray:
    """Read one picture (channels, size, size): its central square, resized with anti-aliasing."""
    try:
        with Image.open(path) as picture:
            picture = picture.convert(MODES[channels])
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise ValueError(f"{path} can't be read as a picture ({error}): replace or remove it") from error
    width, height = picture.size
    side = min(width, height) if crop is None else crop
    if side > min(width, height):
        raise ValueError(f"{path} has {width} x {height} pixels, less than data.crop={crop}")
    left, top = (width - side) // 2, (height - side) // 2
    picture = picture.resize((size, size), Image.Resampling.BILINEAR, (left, top, left + side, top + side))
    return np.asarray(picture).reshape(size, size, channels).transpose(2, 0, 1)
