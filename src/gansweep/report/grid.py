"""A table before it is written in some format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Entry:
    """One field.

    Args:
        text: what is read.
        sort: what it is sorted by, None for by its text.
        strong: to be set in bold.
    """

    text: str
    sort: float | None = None
    strong: bool = False


@dataclass(frozen=True)
class Grid:
    """Head, rows, and what one has to know to read them.

    Args:
        head: names of the columns.
        rows: as long as the head.
        caption: a sentence or two.
        notes: that entries refer to as [1], [2], ...
        num_labels: columns at the left that say whose row it is.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[Entry]]
    caption: str = ""
    notes: Sequence[str] = field(default=())
    num_labels: int = 1
