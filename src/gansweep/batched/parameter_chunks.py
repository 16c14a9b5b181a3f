"""Parameter chunks (K, P_i) that fit into the CPU cache, and the optimizer state of a chunk."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gansweep.layers import Network

IN_CACHE = 1 << 18  # entries of a row per call of an update rule


def chunks_of(network: Network) -> list[slice]:
    """Return the slots of every chunk: a large slot is a chunk, small adjacent slots share one.

    Only small gradients are then concatenated before an update, which reduces the number of calls.
    """
    chunks, first, size = [], 0, 0
    for n, count in enumerate(network.sizes):
        if n > first and size + count > IN_CACHE:
            chunks.append(slice(first, n))
            first, size = n, 0
        size += count
    return [*chunks, slice(first, len(network.sizes))]


def parts_of(width: int) -> list[slice]:
    """Return column ranges of a chunk that fit into the cache."""
    return [slice(start, min(start + IN_CACHE, width)) for start in range(0, width, IN_CACHE)]


def abreast(pieces: Sequence[Tensor]) -> Tensor:
    """Concatenate pieces (K, P_i) along the columns; a single piece is returned without a copy."""
    return pieces[0] if len(pieces) == 1 else torch.cat(list(pieces), 1)


def joined(values: Sequence[Tensor]) -> Tensor:
    """Return one member's state joined over the chunks; a scalar is the same in all of them."""
    return values[0].clone() if len(values) == 1 or values[0].ndim == 0 else torch.cat(list(values))


def state_of_part(state: dict[str, Tensor], at: slice, *, last: bool) -> dict[str, Tensor]:
    """Return the columns `at` of an elementwise rule's state.

    A value (K,) is shared by all parts. It is updated in place with the last part only; the others get a copy.
    """
    return {name: value[:, at] if value.ndim > 1 else value if last else value.clone() for name, value in state.items()}
