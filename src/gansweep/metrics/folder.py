"""Images of a folder, with the same selection, order and values as in pytorch-fid."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gansweep.image_files import MODES, SUFFIXES, LeftOut, list_images, printable, read_image

CHANNELS = {mode: channels for channels, mode in MODES.items()}


def image_files(path: Path, left_out: LeftOut) -> list[Path]:
    """Return the images of a folder, sorted by name; `left_out` collects all other files.

    Raises:
        ValueError: there is no such folder, or it contains no images.
    """
    if not path.is_dir():
        raise ValueError(
            f"{path}: {'not a folder' if path.exists() else 'no such folder'}, expected one or an .npz file"
        )
    images = sorted(list_images(path, left_out, recursive=False, any_case=False))
    if not images:
        skipped = f"; {left_out}" if str(left_out) else ""
        raise ValueError(f"{path}: no images ({', '.join(SUFFIXES)}, in lower case){skipped}")
    return images


def read_folder(path: Path, mode: str, batch_size: int, left_out: LeftOut | None = None) -> Iterator[Tensor]:
    """Yield batches of images (B, C, H, W) in [-1, 1], sorted by name; all images of a batch have the same size.

    Args:
        path: the folder. Subfolders are not read.
        mode: colour mode to which images are converted, `RGB` or `L`; transparency is dropped.
        batch_size: maximum of B.
        left_out: collects skipped files and ignored file contents.

    Raises:
        ValueError: there are no images, or one cannot be read.
    """
    counted = LeftOut() if left_out is None else left_out

    def pixels(file: Path) -> np.ndarray:
        picture = read_image(file, CHANNELS[mode])
        for kind in picture.left_out:
            counted.add(kind, printable(file.name))
        return picture.pixels

    for _, group in groupby(map(pixels, image_files(path, counted)), key=np.shape):
        batch: list[np.ndarray] = []
        for image in group:
            batch.append(image)
            if len(batch) == batch_size:
                yield as_tensor(batch)
                batch = []
        if batch:
            yield as_tensor(batch)


def as_tensor(images: list[np.ndarray]) -> Tensor:
    """Return images (H, W, C) in 0 ... 255 as one float32 tensor (B, C, H, W) in [-1, 1]."""
    x = torch.from_numpy(np.stack(images)).double() / 255 * 2 - 1
    return x.permute(0, 3, 1, 2).float()
