"""Table of contents of the HTML report: one level, and a second level for the sections of each table."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence


def mark(table: int) -> str:
    """Return the id of the heading of a table, counted from 1."""
    return f"table-{table}"


def contents(parts: Mapping[str, str], tables: Sequence[str]) -> str:
    """Return the navigation links of a page. With several tables, each has a row in a collapsed list.

    Args:
        parts: ids by title; the titles of the sections of a table end with its name.
        tables: names of the tables; the name of a single table is empty.
    """
    rows = {name: _own(parts, name) for name in tables if name}
    inside = {title for own in rows.values() for title in own.values()}
    links = [_link(place, title) for title, place in parts.items() if title not in inside]
    if inside:
        each = "".join(
            f"<li>{_link(mark(number), name)}: {', '.join(_link(parts[t], word, t) for word, t in own.items())}</li>"
            for number, (name, own) in enumerate(rows.items(), 1)
        )
        by_table = f"<details><summary>Sections of {len(rows)} tables</summary><ol>{each}</ol></details>"
        links.insert(list(parts).index("Tables") + 1, by_table)
    return f'<nav aria-label="Contents"><ul>{"".join(f"<li>{link}</li>" for link in links)}</ul></nav>'


def _own(parts: Iterable[str], table: str) -> dict[str, str]:
    """Return the full titles of the sections of a table by their titles without its name."""
    end = f" ({table})"
    return {title.removesuffix(end): title for title in parts if title.endswith(end)}


def _link(place: str, text: str, whole: str = "") -> str:
    """Return a link to an id; `whole` is the full title for screen readers."""
    label = f' aria-label="{html.escape(whole, quote=True)}"' if whole else ""
    return f'<a href="#{place}"{label}>{html.escape(text)}</a>'
