"""Norm of the input gradient per sample."""

from __future__ import annotations

import torch
from torch import Tensor

from gansweep.layers.row_sum import row_sum


def length(gradient: Tensor) -> Tensor:
    """Return the L2 norm over all entries of each sample, (K, B, ...) -> (K, B).

    At 0 the gradient of the norm is 0, and its second derivative does not exist.
    """
    return torch.linalg.vector_norm(gradient.flatten(2), dim=2)


def squared_length(gradient: Tensor) -> Tensor:
    """Return the squared L2 norm of each sample, (K, B, ...) -> (K, B); differentiable at 0, unlike `length`."""
    squares = gradient.flatten(2).square()
    return row_sum(squares.flatten(0, 1)).view(squares.shape[:2])
