"""Sample grids of images and density plots of points."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

NUM_SAMPLES = 64
IN_A_ROW, GAP = 8, 2
COLUMNS_OF_REAL = 2
SMALLEST, ENLARGED = 64, 4  # images below SMALLEST pixels are enlarged by this factor


def grid(samples: Tensor) -> Tensor:
    """Return one picture (3, h, w) in [0, 1] of images (N, C, H, W) in [-1, 1], or of points (N, 2).

    Points are shown as a histogram on [-3, 3] x [-3, 3], darker for higher counts. Numbers (N, 1) are placed at y = 0.
    """
    samples = samples.detach().float().cpu()
    if samples.ndim == 2:
        return _density(F.pad(samples, (0, 1)) if samples.shape[1] == 1 else samples)
    images = ((samples + 1) / 2).clamp(0, 1).expand(-1, 3, -1, -1)
    if images.shape[-1] < SMALLEST:
        images = images.repeat_interleave(ENLARGED, -1).repeat_interleave(ENLARGED, -2)
    framed = F.pad(images, (GAP, 0, GAP, 0), value=1.0)
    missing = -len(framed) % IN_A_ROW
    framed = torch.cat([framed, torch.ones(missing, *framed.shape[1:])])
    rows = [torch.cat(list(row), -1) for row in framed.split(IN_A_ROW)]
    return F.pad(torch.cat(rows, -2), (0, GAP, 0, GAP), value=1.0)


def beside_real(picture: Tensor, shown: Tensor, real: Tensor) -> Tensor:
    """Return a picture of generated samples with real ones on its right.

    Args:
        picture: `grid` of the samples.
        shown: the samples (N, ...).
        real: real samples (N, ...), of which a grid shows the first two columns; unless the shapes differ, as those of
            other pictures of an algorithm, when the picture is returned unchanged.
    """
    if real.shape != shown.shape:
        return picture
    right = grid(real)
    if shown.ndim == 4:
        right = right[..., : GAP + (right.shape[-1] - GAP) * COLUMNS_OF_REAL // IN_A_ROW]
    return torch.cat([picture, torch.ones_like(picture[..., : 8 * GAP]), right], -1)


def save(path: Path, picture: Tensor) -> None:
    """Write a picture (3, h, w) in [0, 1] to `path` as an 8-bit PNG."""
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = (picture * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous()
    Image.fromarray(pixels.numpy()).save(path)


def save_points(path: Path, points: Tensor) -> None:
    """Write points (N, D) as the array `points` of an .npz file, so that they can be plotted later."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, points=points.detach().float().cpu().numpy())


def points_files(directory: Path) -> dict[int, Path]:
    """Return the .npz files of a cell's points, by step."""
    return {int(path.stem.removeprefix("step_")): path for path in sorted(directory.glob("samples/step_*.npz"))}


def _density(points: Tensor, bins: int = 96, edge: float = 3.0) -> Tensor:
    counts, _ = torch.histogramdd(points.double(), [bins, bins], range=[-edge, edge, -edge, edge])
    shade = 1 - (counts / counts.max().clamp(min=1)).sqrt()
    picture = shade.T.flip(0).float()  # x to the right, y upwards
    return picture.repeat_interleave(3, 0).repeat_interleave(3, 1).expand(3, -1, -1)
