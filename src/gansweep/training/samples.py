"""Pictures of what a generator makes, always from the same latents."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

NUM_SAMPLES = 64
SMALLEST = 4  # times that small images are enlarged


def grid(samples: Tensor) -> Tensor:
    """Arrange images (N, C, H, W) in [-1, 1], or points (N, 2), as one picture (3, h, w) in [0, 1].

    Points are counted on a square of [-3, 3] x [-3, 3], the darker the more.
    """
    from torchvision.utils import make_grid

    samples = samples.detach().float().cpu()
    if samples.ndim == 2:
        return _density(samples)
    if samples.shape[-1] < 64:
        samples = samples.repeat_interleave(SMALLEST, -1).repeat_interleave(SMALLEST, -2)
    return make_grid((samples + 1) / 2, nrow=8, padding=2, pad_value=1.0).clamp(0, 1)


def save(path: Path, picture: Tensor) -> None:
    """Write a picture (3, h, w) as PNG."""
    from torchvision.utils import save_image

    path.parent.mkdir(parents=True, exist_ok=True)
    save_image(picture, path)


def _density(points: Tensor, bins: int = 96, edge: float = 3.0) -> Tensor:
    counts, _ = torch.histogramdd(points.double(), [bins, bins], range=[-edge, edge, -edge, edge])
    shade = 1 - (counts / counts.max().clamp(min=1)).sqrt()
    picture = shade.T.flip(0).float()  # x to the right, y upwards
    return picture.repeat_interleave(3, 0).repeat_interleave(3, 1).expand(3, -1, -1)
