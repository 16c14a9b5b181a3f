"""Tables in Markdown."""

from __future__ import annotations

from gansweep.formatting import markdown
from gansweep.results.pivot import Entry, Grid


def write(grid: Grid) -> str:
    """Return a Markdown table, followed by its notes and its caption."""
    notes = "  \n".join(f"[{place}] {note}" for place, note in enumerate(grid.notes, 1))
    table = markdown(grid.head, [[_text(entry) for entry in row] for row in grid.rows])
    return "\n\n".join(filter(None, (table, notes, grid.caption)))


def _text(entry: Entry) -> str:
    return f"**{entry.text}**" if entry.strong else entry.text
