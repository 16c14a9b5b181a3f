"""Dropout masks for tests of networks."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from gansweep.batched.random_streams import Draws, masks_of
from gansweep.layers import Network
from gansweep.seeding import Streams


def masks(network: Network, size: int, seeds: Sequence[int] = (0,)) -> list[torch.Tensor]:
    """Return the masks (K, size, ...) of one pass, from the stream of each seed."""
    draws = Draws([Streams(seed) for seed in seeds], torch.device("cpu"))
    draws.plan("masks", masks_of(network, size))
    return draws.masks("masks", network)
