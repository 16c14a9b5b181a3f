"""Column ranges of the slots in a parameter row."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from gansweep.interfaces import Slot


def columns(slots: Sequence[Slot]) -> Iterator[tuple[Slot, slice]]:
    """Yield each slot with the slice of its columns in a row (P,)."""
    start = 0
    for slot in slots:
        stop = start + math.prod(slot.shape)
        yield slot, slice(start, stop)
        start = stop
