"""Peak signal-to-noise ratio of pairs of images."""

from __future__ import annotations

import math

from torch import Tensor


def psnr(images: Tensor, targets: Tensor, value_range: float = 2.0) -> float:
    """Compare images (N, C, H, W) with their targets, in decibels; infinite when they are equal.

        PSNR = 10 log10( range^2 / MSE ),   MSE over all images together

    Args:
        images: what was made.
        targets: what it should be.
        value_range: from the least to the greatest value, 2 in [-1, 1].

    Raises:
        ValueError: different shapes.
    """
    if images.shape != targets.shape:
        raise ValueError(f"images {tuple(images.shape)} and targets {tuple(targets.shape)} do not pair")
    error = (images.double() - targets.double()).square().mean().item()
    return 10 * math.log10(value_range**2 / error) if error else math.inf
