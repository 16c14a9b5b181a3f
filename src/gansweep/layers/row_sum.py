"""Row sums with a fixed order of summation."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

FOLD = 1024  # torch splits longer sums among threads, but only if there are few rows, as at K = 1


def row_sum(rows: Tensor) -> Tensor:
    """Return the sum of each row of (N, P) as (N, 1), bitwise independent of N and of the number of threads."""
    while rows.shape[1] > FOLD:
        rows = F.pad(rows, (0, -rows.shape[1] % FOLD)).unflatten(1, (-1, FOLD)).sum(2)
    return rows.sum(1, keepdim=True)
