"""Softplus with rounding that does not depend on the position in a tensor."""

from __future__ import annotations

import torch
from torch import Tensor


def softplus(x: Tensor) -> Tensor:
    """Return log(1 + e^x) = max(x, 0) + log(1 + e^-|x|), elementwise.

    `torch.nn.functional.softplus` rounds differently for elements left over after the last full
    vector register. A member's loss would then depend on the number of members in the batch.
    `maximum` is used instead of `clamp` because it halves the gradient at a tie, which gives the
    derivative sigmoid(0) = 1/2 at x = 0.
    """
    return torch.maximum(x, torch.zeros_like(x)) + torch.log1p(torch.exp(-x.abs()))
