"""log(1 + e^x), the loss of a logit, written so that its last bit does not depend on its place."""

from __future__ import annotations

import torch
from torch import Tensor


def softplus(x: Tensor) -> Tensor:
    """Return log(1 + e^x) = max(x, 0) + log(1 + e^-|x|), elementwise.

    `torch.nn.functional.softplus` rounds differently in the remainder of a vector register, so
    that a member's loss would depend on how many train beside it. `maximum` rather than `clamp`,
    because it halves the gradient at a tie, which gives sigmoid(0) = 1/2 there.
    """
    return torch.maximum(x, torch.zeros_like(x)) + torch.log1p(torch.exp(-x.abs()))
