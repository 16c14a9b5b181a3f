"""The chance that a logit stands for, written so that its last bit does not depend on its place."""

from __future__ import annotations

import torch
from torch import Tensor


def sigmoid(x: Tensor) -> Tensor:
    """Return 1 / (1 + e^-x), elementwise.

    `torch.sigmoid` rounds differently in the remainder of a vector register, so that a member's
    penalty would depend on how many train beside it. 1 - sigmoid(x) is sigmoid(-x).
    """
    return torch.exp(-torch.maximum(-x, torch.zeros_like(x)) - torch.log1p(torch.exp(-x.abs())))
