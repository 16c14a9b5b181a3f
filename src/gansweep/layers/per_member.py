"""Broadcasting of one number per member over its samples."""

from __future__ import annotations

from torch import Tensor


def per_member(numbers: Tensor, samples: Tensor) -> Tensor:
    """Return numbers (K,) or (K, 1) in the shape (K, 1, ...) that multiplies tensors (K, B, ...)."""
    return numbers.view(-1, *[1] * (samples.ndim - 1))
