"""Images of a folder, in the files, order and values in which pytorch-fid reads them."""

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
    """List the images of a folder in the order of their names; `left_out` takes in all else.

    Raises:
        ValueError: there is no such folder, or there are no images in it.
    """
    if not path.is_dir():
        raise ValueError(
            f"{path}: {'not a folder' if path.exists() else 'no such folder'}, expected one or an .npz file"
        )
    images = sorted(list_images(path, left_out, recursive=False, any_case=False))
    if not images:
        found = f"; {left_out}" if str(left_out) else ""
        raise ValueError(f"{path}: no images ({', '.join(SUFFIXES)}, in small letters){found}")
    return images


def read_folder(path: Path, mode: str, batch_size: int, left_out: LeftOut | None = None) -> Iterator[Tensor]:
    """Yield images (B, C, H, W) in [-1, 1] in the order of their names, in batches of one size each.

    Args:
        path: the folder. What lies in folders within is not read.
        mode: `RGB` or `L`, to which they are converted; transparency is dropped.
        batch_size: B at most.
        left_out: takes in what is not read.

    Raises:
        ValueError: there are none, or one can't be read.
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
    """Stack pixels (H, W, C) in 0 ... 255 to float32 (B, C, H, W) in [-1, 1]."""
    x = torch.from_numpy(np.stack(images)).double() / 255 * 2 - 1
    return x.permute(0, 3, 1, 2).float()
