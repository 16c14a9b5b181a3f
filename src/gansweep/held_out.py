"""Division of a data set into training and test samples."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from gansweep.seeding import Streams


class Division(NamedTuple):
    """Disjoint indices of the training and the test samples, which together cover the data set."""

    train: Tensor
    test: Tensor


def held_out(num_samples: int, num_test: int) -> Division:
    """Divide a data set at random, with a fixed seed: equal arguments give equal divisions.

    >>> [part.tolist() for part in held_out(5, 2)] == [part.tolist() for part in held_out(5, 2)]
    True

    Raises:
        ValueError: there would be no training samples or no test samples.
    """
    if not 0 < num_test < num_samples:
        raise ValueError(f"{num_test} of {num_samples} samples held out: expected at least one on either side")
    order = torch.randperm(num_samples, generator=Streams(0)["held out"])
    return Division(order[num_test:], order[:num_test])
