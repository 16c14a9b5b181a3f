"""Blocks in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from gansweep.formatting import markdown
from gansweep.section import Block, Code, Entry, List, Paragraph, Picture, Strong, Table, Text


def write(blocks: Sequence[Block]) -> str:
    """Return blocks as Markdown; figures are omitted."""
    return "\n\n".join(_block(block) for block in blocks if not isinstance(block, Picture))


def inline(text: Text) -> str:
    """Return a text with bold and code markup.

    >>> inline(["add seeds, for example ", Code("seed=0,1")])
    'add seeds, for example `seed=0,1`'
    """
    return text if isinstance(text, str) else "".join(map(_words, text))


def _words(part: str | Strong | Code) -> str:
    if isinstance(part, Strong):
        return f"**{part.words}**"
    return f"`{part.words}`" if isinstance(part, Code) else part


def _block(block: Paragraph | List | Table) -> str:
    if isinstance(block, Paragraph):
        return inline(block.text)
    if isinstance(block, List):
        return "\n".join(f"- {inline(item)}" for item in block.items)
    table = markdown(block.head, [[_field(entry) for entry in row] for row in block.entries])
    notes = "  \n".join(f"[{number}] {note}" for number, note in enumerate(block.notes, 1))
    return "\n\n".join(filter(None, (table, notes, block.caption)))


def _field(entry: Entry) -> str:
    return f"**{entry.text}**" if entry.strong else entry.text
