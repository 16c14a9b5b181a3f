"""A part of a report, in whatever format it is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Section:
    """A heading, what is said under it, and pictures.

    Args:
        title: the heading, plain text.
        text: Markdown: paragraphs, `-` lists, `**bold**`, `` `code` `` and tables with pipes.
        pictures: by caption; each is drawn when the format has room for it.
    """

    title: str
    text: str
    pictures: Mapping[str, Callable[[], Figure]] = field(default_factory=dict)
