"""The length of a slope."""

from __future__ import annotations

import torch
from torch import Tensor

from gansweep.layers.row_sum import row_sum


def length(slope: Tensor) -> Tensor:
    """Return || slope ||_2 over all numbers of a sample, (K, B, ...) -> (K, B).

    Its own slope at 0 is 0, and it has no second one there.
    """
    return torch.linalg.vector_norm(slope.flatten(2), dim=2)


def squared_length(slope: Tensor) -> Tensor:
    """Return || slope ||_2^2, (K, B, ...) -> (K, B), which has all derivatives everywhere."""
    squares = slope.flatten(2).square()
    return row_sum(squares.flatten(0, 1)).view(squares.shape[:2])
