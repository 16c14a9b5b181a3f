"""Rows of parameters in stretches (K, P_i) that fit the processor's cache, and a rule's state with them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gansweep.layers import Network

IN_CACHE = 1 << 18  # entries of a row that an update rule is given at once


def stretches_of(network: Network) -> list[slice]:
    """Divide the slots into stretches: large ones alone, small neighbours together.

    Only small gradients are then copied together before an update, which spares calls.
    """
    found, first, size = [], 0, 0
    for n, count in enumerate(network.sizes):
        if n > first and size + count > IN_CACHE:
            found.append(slice(first, n))
            first, size = n, 0
        size += count
    return [*found, slice(first, len(network.sizes))]


def parts_of(width: int) -> list[slice]:
    """Cut the columns of a stretch into parts that fit the cache."""
    return [slice(start, min(start + IN_CACHE, width)) for start in range(0, width, IN_CACHE)]


def abreast(pieces: Sequence[Tensor]) -> Tensor:
    """Put pieces (K, P_i) beside each other, a single one as it is."""
    return pieces[0] if len(pieces) == 1 else torch.cat(list(pieces), 1)


def joined(values: Sequence[Tensor]) -> Tensor:
    """Join what the stretches hold of one member; a number that they share is in each of them."""
    return values[0].clone() if len(values) == 1 or values[0].ndim == 0 else torch.cat(list(values))


def state_of_part(state: dict[str, Tensor], at: slice, *, last: bool) -> dict[str, Tensor]:
    """Cut an elementwise rule's state; a number (K,) moves on once, with the last part."""
    return {name: value[:, at] if value.ndim > 1 else value if last else value.clone() for name, value in state.items()}
