"""Division of parameter rows (K, P) into chunks (K, P_i), and the optimizer state of a chunk."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from gansweep.interfaces import Slot
from gansweep.layers import Network

IN_CACHE = 1 << 18  # entries of a row per call of an update rule
ALIGNMENT = 32  # entries; matrix products on a GPU are slower if their matrices begin at odd addresses
MOST_PIECES = 24  # of a gradient that a fused update reads


class Chunks:
    """Division of rows (K, P) into chunks (K, P_i), each a tensor of its own.

    By default chunks end at slot boundaries and fit into the cache of a CPU, except that a large slot is a chunk.

    Args:
        network: architecture that the rows belong to.
        whole: a single chunk, the row itself, for rules that are not elementwise.
        aligned: a single chunk in which every slot begins at a multiple of 32 entries, so that a fused update is one
            pass. The entries between are not used; they have slots named `padding`.
    """

    def __init__(self, network: Network, *, whole: bool = False, aligned: bool = False) -> None:
        self.network, self.aligned = network, aligned
        self.spans = [slice(0, len(network.slots))] if whole or aligned else chunks_of(network)
        self.gaps = [-size % ALIGNMENT if aligned else 0 for size in network.sizes]
        self.widths = [size + gap for size, gap in zip(network.sizes, self.gaps, strict=True)]
        self.slots = [self._slots(span) for span in self.spans]
        self._undivided = len(self.spans) == 1 and not aligned

    def _slots(self, span: slice) -> Sequence[Slot]:
        slots = []
        for slot, gap in zip(self.network.slots[span], self.gaps[span], strict=True):
            slots += [slot] + [Slot("padding", (gap,), "bias")] * (gap > 0)
        return tuple(slots)

    def divide(self, rows: Tensor) -> list[Tensor]:
        """Return rows (..., P) split into chunks, each a contiguous copy."""
        if self.aligned:
            return [concatenate_with_gaps(rows.split(self.network.sizes, -1), self.gaps)]
        sizes = [sum(self.network.sizes[span]) for span in self.spans]
        return [part.clone(memory_format=torch.contiguous_format) for part in rows.split(sizes, -1)]

    def join(self, chunks: Sequence[Tensor]) -> Tensor:
        """Return rows (..., P) as a copy; the inverse of `divide`."""
        if not self.aligned:
            return torch.cat(list(chunks), -1)
        parts = chunks[0].split(self.widths, -1)
        return torch.cat([part[..., :size] for part, size in zip(parts, self.network.sizes, strict=True)], -1)

    def params(self, chunks: Sequence[Tensor]) -> list[Tensor]:
        """Return views (K, *shape) of every slot into chunks."""
        if not self.aligned:
            pairs = zip(self.spans, chunks, strict=True)
            return [p for span, theta in pairs for p in self.network.cut(theta, span)]
        parts = zip(chunks[0].split(self.widths, 1), self.network.sizes, self.network.slots, strict=True)
        return [part[:, :size].view(-1, *slot.shape) for part, size, slot in parts]

    def gradients(self, of_slots: Sequence[Tensor]) -> list[Tensor]:
        """Return gradients of the chunks, given those of the slots (K, size): the pieces of an aligned chunk."""
        if not self.aligned:
            return [concatenate(of_slots[span]) for span in self.spans]
        return list(of_slots) if len(of_slots) <= MOST_PIECES else [concatenate_with_gaps(of_slots, self.gaps)]

    def whole_gradients(self, gradients: Sequence[Tensor]) -> Sequence[Tensor]:
        """Return gradients of the chunks without pieces."""
        return gradients if len(gradients) == len(self.spans) else [concatenate_with_gaps(gradients, self.gaps)]

    def gaps_of(self, gradients: Sequence[Tensor]) -> list[int]:
        """Return the number of entries after each piece of a gradient of an aligned chunk."""
        return [0] if len(gradients) == 1 else self.gaps

    def join_state(self, values: Sequence[Tensor]) -> Tensor:
        """Return one member's state joined over the chunks; a scalar is the same in all of them."""
        return values[0].clone() if self._undivided or values[0].ndim == 0 else self.join(values)

    def divide_state(self, value: Tensor) -> list[Tensor]:
        """Return one member's state for every chunk; the inverse of `join_state`."""
        return [value] * len(self.spans) if self._undivided or value.ndim == 0 else self.divide(value)


def concatenate_with_gaps(pieces: Sequence[Tensor], gaps: Sequence[int]) -> Tensor:
    """Concatenate pieces (..., P_i), each followed by a gap of zeros."""
    return torch.cat([F.pad(piece, (0, gap)) if gap else piece for piece, gap in zip(pieces, gaps, strict=True)], -1)


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


def concatenate(pieces: Sequence[Tensor]) -> Tensor:
    """Concatenate pieces (K, P_i) along the columns; a single piece is returned without a copy."""
    return pieces[0] if len(pieces) == 1 else torch.cat(list(pieces), 1)


def state_of_part(state: dict[str, Tensor], at: slice, *, last: bool) -> dict[str, Tensor]:
    """Return the columns `at` of an elementwise rule's state.

    A value (K,) is shared by all parts. It is updated in place with the last part only; the others get a copy.
    """
    return {name: value[:, at] if value.ndim > 1 else value if last else value.clone() for name, value in state.items()}
