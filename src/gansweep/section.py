"""Sections of a report: headings over blocks, independent of the output format."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Strong:
    """Words in bold."""

    words: str


@dataclass(frozen=True)
class Code:
    """Words in a fixed-width font."""

    words: str


Text: TypeAlias = str | Sequence[str | Strong | Code]


@dataclass(frozen=True)
class Paragraph:
    """A paragraph."""

    text: Text


@dataclass(frozen=True)
class List:
    """A bulleted list."""

    items: Sequence[Text]


@dataclass(frozen=True)
class Link:
    """A link to a file.

    Args:
        address: URL, relative to the folder of the report.
        words: the displayed text.
        label: text for screen readers, if `words` do not describe the target.
    """

    address: str
    words: str
    label: str = ""


@dataclass(frozen=True)
class Entry:
    """One field of a table.

    Args:
        text: the displayed text.
        sort: sort key; None to sort by the text.
        strong: whether the text is bold.
        link: link after the text, in formats with links.
        cell: short hash of a cell whose configuration the entry shows; empty if it shows none.
    """

    text: str
    sort: float | None = None
    strong: bool = False
    link: Link | None = None
    cell: str = ""

    @classmethod
    def of(cls, text: str) -> Entry:
        """Return an entry that sorts by the number at the start of its text.

        >>> Entry.of("88.9% (2)").sort, Entry.of("N/A").sort, Entry.of("3 of 4").sort, Entry.of("1-2").sort
        (88.9, None, 3.0, None)
        """
        leading = re.match(r"([-+]?\d+\.?\d*(?:e[-+]?\d+)?)%?(?=$|[ (])", text)
        return cls(text, float(leading[1]) if leading else None)


@dataclass(frozen=True)
class Table:
    """A table with head, rows, caption and notes.

    Args:
        head: names of the columns.
        rows: each as long as the head; a text is converted by `Entry.of`.
        caption: a sentence or two.
        notes: footnotes, referred to by entries as [1], [2], ...
        num_labels: number of leading columns that identify the row.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[Entry | str]]
    caption: str = ""
    notes: Sequence[str] = ()
    num_labels: int = 1

    @cached_property
    def entries(self) -> list[list[Entry]]:
        """The rows as entries; kept, because the page asks for them in every field."""
        return [[Entry.of(field) if isinstance(field, str) else field for field in row] for row in self.rows]

    @cached_property
    def numeric_columns(self) -> frozenset[int]:
        """Indices of the columns with a number to sort by."""
        return frozenset(n for row in self.entries for n, entry in enumerate(row) if entry.sort is not None)


@dataclass(frozen=True)
class Chart:
    """A figure in a form that a browser can draw.

    Args:
        kind: name of the function in `report/page/marks.js` that draws it.
        options: function that returns the arguments of that function in JSON types; called only for interactive
            formats. Values of runs come from the data of the table that the section belongs to, see `report/charts.py`.
    """

    kind: str
    options: Callable[[], Mapping[str, Any]] = dict


@dataclass(frozen=True)
class Picture:
    """A figure with its caption.

    Args:
        caption: one line.
        draw: function that draws the figure; called only for formats with figures.
        chart: the figure for interactive formats, which show the drawn figure on paper only; None if there is none.
        name: what is drawn, as the name of a file; default: derived from the caption.
    """

    caption: str
    draw: Callable[[], Figure]
    chart: Chart | None = None
    name: str = field(default="", kw_only=True)

    @property
    def file_name(self) -> str:
        """The name of the file without suffix.

        >>> Picture("Losses, seed 0", draw=lambda: None).file_name
        'losses_seed_0'
        """
        return file_name(self.name or self.caption.partition(":")[0])


def file_name(text: str) -> str:
    """Return a text in lower case, with `_` for all that is neither letter nor digit, at most 60 characters."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:60]


Block: TypeAlias = Paragraph | List | Table | Picture


@dataclass(frozen=True)
class Section:
    """A section of a report.

    Args:
        title: the heading.
        blocks: the content.
        needs_pictures: whether the text only describes the figures; formats without figures omit the section.
        table: name of the table that the section belongs to; empty in a report with a single table.
    """

    title: str
    blocks: Sequence[Block]
    needs_pictures: bool = False
    table: str = ""

    @property
    def heading(self) -> str:
        """The title with the name of the table."""
        return f"{self.title} ({self.table})" if self.table else self.title

    @property
    def pictures(self) -> dict[str, Callable[[], Figure]]:
        """The functions that draw the figures, by caption."""
        return {block.caption: block.draw for block in self.blocks if isinstance(block, Picture)}
