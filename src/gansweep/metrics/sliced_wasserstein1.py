"""Sliced Wasserstein-1 distance: an average over directions, cheap for any number of points."""

from __future__ import annotations

import torch
from torch import Tensor

from gansweep.seeding import Streams


def sliced_wasserstein1(a: Tensor, b: Tensor, num_directions: int = 256, seed: int = 0) -> float:
    """Mean over random directions of the W1 of both sets' (N, D) projections.

        SW1 = E_u [ (1/N) sum_i | sort(a u)_i - sort(b u)_i | ],   || u || = 1

    Bonneel et al. 2015, J. Math. Imaging Vis. 51, eq. 8 with p = 1. Never above W1.

    Raises:
        ValueError: different shapes, or values that are not finite.
    """
    if a.shape != b.shape or a.ndim != 2:
        raise ValueError(f"point sets of shape {tuple(a.shape)} and {tuple(b.shape)}: expected equal (N, D)")
    if not (a.isfinite().all() and b.isfinite().all()):
        raise ValueError("points are not finite: no distance to them is meaningful")
    directions = torch.randn(a.shape[1], num_directions, generator=Streams(seed)["directions"], dtype=torch.float64)
    directions = (directions / directions.norm(dim=0)).to(a.device)
    x, y = ((side.double() @ directions).sort(0).values for side in (a, b))
    return (x - y).abs().mean().item()
