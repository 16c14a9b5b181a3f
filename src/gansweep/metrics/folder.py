"""Images of a folder, in the files, order and values in which pytorch-fid reads them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

SUFFIXES = {".bmp", ".jpg", ".jpeg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
EIGHT_BITS = {"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "CMYK", "YCbCr", "LAB", "HSV"}


def image_files(path: Path) -> tuple[list[Path], list[Path]]:
    """Sort what lies in a folder into images, in the order of their names, and other files.

    Raises:
        ValueError: there is no such folder, or there are no images in it.
    """
    if not path.is_dir():
        raise ValueError(
            f"{path}: {'not a folder' if path.exists() else 'no such folder'}, expected one or an .npz file"
        )
    files = sorted(file for file in path.iterdir() if file.is_file())
    images = [file for file in files if file.suffix in SUFFIXES]
    others = [file for file in files if file.suffix not in SUFFIXES]
    if not images:
        found = f"; it holds {len(others)} other files such as {others[0].name}" if others else ""
        raise ValueError(f"{path}: no images ({', '.join(sorted(SUFFIXES))}, in small letters){found}")
    return images, others


def read_folder(path: Path, mode: str, batch_size: int) -> Iterator[Tensor]:
    """Yield images (B, C, H, W) in [-1, 1] in the order of their names, in batches of one size each.

    Args:
        path: the folder. What lies in folders within is not read.
        mode: `RGB` or `L`, to which they are converted; transparency is dropped.
        batch_size: B at most.

    Raises:
        ValueError: there are none, or one can't be read.
    """
    images = (read_image(file, mode) for file in image_files(path)[0])
    for _, group in groupby(images, key=np.shape):
        batch: list[np.ndarray] = []
        for image in group:
            batch.append(image)
            if len(batch) == batch_size:
                yield as_tensor(batch)
                batch = []
        if batch:
            yield as_tensor(batch)


def read_image(file: Path, mode: str) -> np.ndarray:
    """Read bytes (H, W, 3) or (H, W).

    Raises:
        ValueError: it is damaged or no image, or has more than 8 bits per channel, of which a
            conversion would cut off the upper or the lower ones.
    """
    try:
        with Image.open(file) as image:
            if image.mode not in EIGHT_BITS:
                raise ValueError(f"its mode is {image.mode}, expected 8 bits per channel")
            return np.asarray(image.convert(mode))
    except (
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        struct.error,
        zlib.error,
        Image.DecompressionBombError,
    ) as error:
        raise ValueError(f"{file} can't be read: {error}") from error


def as_tensor(images: list[np.ndarray]) -> Tensor:
    """Stack bytes (H, W[, C]) to float32 (B, C, H, W) in [-1, 1]."""
    x = torch.from_numpy(np.stack(images)).double() / 255 * 2 - 1
    return (x.permute(0, 3, 1, 2) if x.ndim == 4 else x[:, None]).float()
