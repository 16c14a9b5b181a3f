"""A section of a report, independent of the output format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
