"""The length of a slope."""

from __future__ import annotations

import torch
from torch import Tensor


def length(slope: Tensor) -> Tensor:
    """Return || slope ||_2 over all numbers of a sample, (K, B, ...) -> (K, B); its own slope at 0 is 0."""
    return torch.linalg.vector_norm(slope.flatten(2), dim=2)
