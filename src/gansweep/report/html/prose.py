"""Markdown to HTML for the subset used in sections: paragraphs, lists, headings, tables, bold and code."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence

from gansweep.results.pivot import Entry, Grid


def prose(text: str, table: Callable[[Grid], str]) -> str:
    """Return the text of a section as HTML.

    Args:
        text: Markdown, as in `Section.text`.
        table: renders a table.

    >>> prose("a **b** `c<d`", str)
    '<p>a <strong>b</strong> <code>c&lt;d</code></p>'
    """
    return "\n".join(
        _block(block.strip("\n"), table) for block in re.split(r"\n\s*\n", text.strip("\n")) if block.strip()
    )


def inline(text: str) -> str:
    """Return an escaped line with bold and code markup."""
    parts = re.split(r"(`[^`]*`)", " ".join(text.split()))
    return "".join(
        f"<code>{html.escape(part[1:-1])}</code>"
        if part.startswith("`") and part.endswith("`") and len(part) > 1
        else re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", html.escape(part))
        for part in parts
    )


def _block(block: str, table: Callable[[Grid], str]) -> str:
    lines = block.splitlines()
    if lines[0].lstrip().startswith("|"):
        return table(_grid(lines))
    if all(line.lstrip().startswith("- ") for line in lines):
        items = "".join(f"<li>{inline(line.lstrip()[2:])}</li>" for line in lines)
        return f"<ul>{items}</ul>"
    items_from = next((n for n, line in enumerate(lines) if line.lstrip().startswith("- ")), 0)
    if items_from and all(line.lstrip().startswith("- ") for line in lines[items_from:]):
        return f"<p>{inline(' '.join(lines[:items_from]))}</p>\n" + _block("\n".join(lines[items_from:]), table)
    heading = re.match(r"(#+) (.*)", block)
    if heading:
        return f"<h3>{inline(heading[2])}</h3>"
    return "<p>" + "<br>".join(inline(part) for part in re.split(r"  \n", block)) + "</p>"


def _grid(lines: Sequence[str]) -> Grid:
    rows = [[part.strip().replace("\\|", "|") for part in re.split(r"(?<!\\)\|", line.strip())[1:-1]] for line in lines]
    return Grid(rows[0], [[_entry(text) for text in row] for row in rows[2:]])


def _entry(text: str) -> Entry:
    strong = len(text) > 4 and text.startswith("**") and text.endswith("**")
    text = text.strip("*") if strong else text
    leading = re.match(r"[-+]?[0-9.]+(e[-+]?[0-9]+)?%?(?=$|[ (])", text)
    try:
        value = float(leading[0].rstrip("%")) if leading else None
    except ValueError:
        value = None
    return Entry(text, value, strong)
