"""HTML tables with sortable columns."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

from gansweep.report.html.prose import inline
from gansweep.results.pivot import Entry, Grid

NUMBER = ' class="number"'
MOST_NOTES, TALL = 8, 40


def table(grid: Grid, name: str = "") -> str:
    """Return a table with its notes below.

    The buttons in the head sort by `data-sort` where an entry has one; `page.js` implements this.
    """
    numeric = [any(row[column].sort is not None for row in grid.rows) for column in range(len(grid.head))]
    head = "".join(
        f'<th scope="col"{NUMBER if is_number else ""}><button type="button">{inline(text) or "&nbsp;"}</button></th>'
        for text, is_number in zip(grid.head, numeric, strict=True)
    )
    rows = "\n".join(_row(row, grid.num_labels, numeric) for row in grid.rows)
    caption = f"<caption><span>{html.escape(grid.caption or name)}</span></caption>" if grid.caption or name else ""
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in grid.notes)
    below = f'<ol class="notes" aria-label="notes to the table">{notes}</ol>' if notes else ""
    if len(grid.notes) > MOST_NOTES:
        below = f"<details><summary>{len(grid.notes)} notes to the table</summary>{below}</details>"
    label = html.escape(name or grid.caption or "table", quote=True)
    tall = " tall" if len(grid.rows) > TALL else ""
    return (
        f'<div class="scroll{tall}" role="region" tabindex="0" aria-label="{label}">'
        f'<table class="sortable">{caption}<thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table></div>{below}'
    )


def _row(row: Sequence[Entry], num_labels: int, numeric: Sequence[bool]) -> str:
    fields = zip(row, numeric, strict=True)
    return f"<tr>{''.join(_field(entry, n < num_labels, number) for n, (entry, number) in enumerate(fields))}</tr>"


def _field(entry: Entry, is_label: bool, is_number: bool) -> str:
    text = html.escape(entry.text)
    text = f"<strong>{text}</strong>" if entry.strong else text
    known = entry.sort is not None and math.isfinite(entry.sort)
    # An empty sort key comes last in both directions.
    sort = (f' data-sort="{entry.sort:.12g}"' if known else ' data-sort=""') if is_number else ""
    kind = NUMBER if is_number else ""
    return f'<th scope="row"{kind}{sort}>{text}</th>' if is_label else f"<td{kind}{sort}>{text}</td>"
