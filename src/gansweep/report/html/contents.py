"""The list of contents: one level, and a second one for sections that every table has."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence


def mark(table: int) -> str:
    """Return the id of a table's heading, counted from 1."""
    return f"table-{table}"


def contents(parts: Mapping[str, str], tables: Sequence[str]) -> str:
    """Link the parts of a page. Those of several tables are a row for each table, closed at first.

    Args:
        parts: ids by title; titles of a table's sections end in its name.
        tables: their names; one alone has none.
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
    """Find the titles of a table's sections by what they are called without its name."""
    end = f" ({table})"
    return {title.removesuffix(end): title for title in parts if title.endswith(end)}


def _link(place: str, text: str, whole: str = "") -> str:
    """Link a place; `whole` says for those who hear the link alone what it is of."""
    label = f' aria-label="{html.escape(whole, quote=True)}"' if whole else ""
    return f'<a href="#{place}"{label}>{html.escape(text)}</a>'
