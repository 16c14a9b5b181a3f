"""Sigmoid with rounding that does not depend on the position in a tensor."""

from __future__ import annotations

import torch
from torch import Tensor


def sigmoid(x: Tensor) -> Tensor:
    """Return 1 / (1 + e^-x), elementwise.

    `torch.sigmoid` rounds differently for elements left over after the last full vector register. A
    member's penalty would then depend on the number of members in the batch. Use sigmoid(-x) for
    1 - sigmoid(x).
    """
    return torch.exp(-torch.maximum(-x, torch.zeros_like(x)) - torch.log1p(torch.exp(-x.abs())))
