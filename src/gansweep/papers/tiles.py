"""Splitting a sample grid into single images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from gansweep.papers.trained import last_picture
from gansweep.training.samples import ENLARGED, GAP, IN_A_ROW


def tiles(directory: Path) -> np.ndarray | None:
    """Return the images (N, H, W, 3) in [0, 1] of a cell's last sample grid; None if there is none.

    The layout is that of `training.samples.grid`.
    """
    from PIL import Image

    path = last_picture(directory)
    if path is None:
        return None
    picture = np.asarray(Image.open(path).convert("RGB"), dtype=np.float32) / 255
    pitch = (picture.shape[1] - GAP) // IN_A_ROW
    side = pitch - GAP
    corners = [
        (y, x) for y in range(GAP, picture.shape[0] - side, pitch) for x in range(GAP, picture.shape[1] - side, pitch)
    ]
    cut = np.stack([picture[y : y + side, x : x + side] for y, x in corners])
    small = cut[:, ::ENLARGED, ::ENLARGED]
    enlarged = side % ENLARGED == 0 and np.array_equal(small.repeat(ENLARGED, 1).repeat(ENLARGED, 2), cut)
    return small if enlarged else cut


def by_class(images: np.ndarray, longest: int = 12) -> list[list[np.ndarray]]:
    """Return digits in ten rows by predicted class, most confident first, at most `longest` per row."""
    from gansweep.metrics.classifier_features import load_shipped

    grey = torch.from_numpy(images[..., :1].copy()).permute(0, 3, 1, 2) * 2 - 1
    with torch.no_grad():
        sure, digit = load_shipped("mnist")(grey).softmax(1).max(1)
    order = sure.argsort(descending=True, stable=True).tolist()
    found = [[images[n] for n in order if int(digit[n]) == which][:longest] for which in range(10)]
    return [row or [np.ones_like(images[0])] for row in found]
