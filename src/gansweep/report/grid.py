"""Table independent of the output format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Entry:
    """One field of a table.

    Args:
        text: the displayed text.
        sort: sort key; None to sort by the text.
        strong: whether the text is bold.
    """

    text: str
    sort: float | None = None
    strong: bool = False


@dataclass(frozen=True)
class Grid:
    """Table with head, rows, caption and notes.

    Args:
        head: names of the columns.
        rows: each as long as the head.
        caption: a sentence or two.
        notes: footnotes, referred to by entries as [1], [2], ...
        num_labels: number of leading columns that identify the row.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[Entry]]
    caption: str = ""
    notes: Sequence[str] = field(default=())
    num_labels: int = 1
