"""A sum whose bits depend on its own numbers alone."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

FOLD = 1024  # threads would share a longer sum, but only where there are few rows: at K = 1


def row_sum(rows: Tensor) -> Tensor:
    """Sum rows (N, P) -> (N, 1) in an order that does not depend on N or on the threads."""
    while rows.shape[1] > FOLD:
        rows = F.pad(rows, (0, -rows.shape[1] % FOLD)).unflatten(1, (-1, FOLD)).sum(2)
    return rows.sum(1, keepdim=True)
