"""Norm of the input gradient per sample, and a sigmoid; both are independent of K."""

from __future__ import annotations

import torch
from torch import Tensor

from gansweep.layers.layer import row_sum


def length(gradient: Tensor) -> Tensor:
    """Return the L2 norm over all entries of each sample, (K, B, ...) -> (K, B).

    At 0 the gradient of the norm is 0, and its second derivative does not exist.
    """
    return torch.linalg.vector_norm(gradient.flatten(2), dim=2)


def squared_length(gradient: Tensor) -> Tensor:
    """Return the squared L2 norm of each sample, (K, B, ...) -> (K, B); differentiable at 0."""
    squares = gradient.flatten(2).square()
    return row_sum(squares.flatten(0, 1)).view(squares.shape[:2])


def sigmoid(x: Tensor) -> Tensor:
    """Return 1 / (1 + e^-x), elementwise.

    `torch.sigmoid` rounds differently for elements left over after the last full vector register. A
    member's penalty would then depend on the number of members in the batch. Use sigmoid(-x) for
    1 - sigmoid(x).
    """
    return torch.exp(-torch.maximum(-x, torch.zeros_like(x)) - torch.log1p(torch.exp(-x.abs())))
