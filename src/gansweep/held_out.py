"""Samples that no training sees."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from gansweep.seeding import Streams


class Division(NamedTuple):
    """Indices of a data set's samples, each of them in one of the two."""

    train: Tensor
    test: Tensor


def held_out(num_samples: int, num_test: int) -> Division:
    """Divide a data set at random, always in the same way.

    >>> [part.tolist() for part in held_out(5, 2)] == [part.tolist() for part in held_out(5, 2)]
    True

    Raises:
        ValueError: nothing would be left to train on, or to test with.
    """
    if not 0 < num_test < num_samples:
        raise ValueError(f"{num_test} of {num_samples} samples held out: expected at least one on either side")
    order = torch.randperm(num_samples, generator=Streams(0)["held out"])
    return Division(order[num_test:], order[:num_test])
