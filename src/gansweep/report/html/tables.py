"""Tables whose columns can be sorted."""

from __future__ import annotations

import html
import math

from gansweep.report.grid import Entry, Grid
from gansweep.report.html.prose import inline


def table(grid: Grid, name: str = "") -> str:
    """Write a table, its notes below it.

    Buttons in the head sort it, by `data-sort` where an entry has one; a script makes them work.
    """
    head = "".join(
        f'<th scope="col"><button type="button">{inline(text) or "&nbsp;"}</button></th>' for text in grid.head
    )
    rows = "\n".join(
        f"<tr>{''.join(_field(entry, place < grid.num_labels) for place, entry in enumerate(row))}</tr>"
        for row in grid.rows
    )
    caption = f"<caption>{html.escape(grid.caption or name)}</caption>" if grid.caption or name else ""
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in grid.notes)
    below = f'<ol class="notes" aria-label="notes to the table">{notes}</ol>' if notes else ""
    label = html.escape(name or grid.caption or "table", quote=True)
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{label}">'
        f'<table class="sortable">{caption}<thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table></div>{below}'
    )


def _field(entry: Entry, is_label: bool) -> str:
    text = html.escape(entry.text)
    text = f"<strong>{text}</strong>" if entry.strong else text
    number = entry.sort is not None
    sort = ""
    if entry.sort is not None:
        sort = f' data-sort="{entry.sort:.12g}"' if math.isfinite(entry.sort) else ' data-sort=""'
    kind = ' class="number"' if number else ""
    return f'<th scope="row"{kind}{sort}>{text}</th>' if is_label else f"<td{kind}{sort}>{text}</td>"
