"""Sections of a report: headings over blocks, independent of the output format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

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


Text: TypeAlias = "str | Sequence[str | Strong | Code]"


@dataclass(frozen=True)
class Paragraph:
    """A paragraph."""

    text: Text


@dataclass(frozen=True)
class List:
    """A bulleted list."""

    items: Sequence[Text]


@dataclass(frozen=True)
class Table:
    """A table with head and rows."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Picture:
    """A figure with its caption.

    Args:
        caption: one line.
        draw: function that draws the figure; called only for formats with figures.
    """

    caption: str
    draw: Callable[[], Figure]


Block: TypeAlias = "Paragraph | List | Table | Picture"


@dataclass(frozen=True)
class Section:
    """A section of a report: heading, text and pictures.

    Args:
        title: the heading, as plain text.
        text: Markdown with paragraphs, `-` lists, `**bold**`, `` `code` `` and tables with pipes.
        pictures: functions that draw the pictures, by caption; called only for formats with pictures.
    """

    title: str
    text: str
    pictures: Mapping[str, Callable[[], Figure]] = field(default_factory=dict)
    text_is_about_pictures: bool = False
