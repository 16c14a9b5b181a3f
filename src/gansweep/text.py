"""Numbers and tables as text."""

from __future__ import annotations

from collections.abc import Sequence


def number(value: float, like: float | None = None) -> str:
    """Write a distance with about four digits, or with as many decimals as `like` has then.

    >>> number(1234.56), number(57.2), number(0.01234), number(0.0379, like=1.85)
    ('1235', '57.20', '0.01234', '0.04')
    """
    size = abs(value if like is None else like)
    if size < 1 and size != 0:
        return f"{value:.4g}" if like is None else f"{value:.2g}"
    digits = 0 if size >= 1000 else 1 if size >= 100 else 2
    return f"{value:.{digits}f}"


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table with aligned columns."""
    cleaned = [[" ".join(text.replace("|", "\\|").split()) for text in row] for row in (head, *rows)]
    widths = [max(3, *(len(row[column]) for row in cleaned)) for column in range(len(head))]
    lines = [
        "| " + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) + " |" for row in cleaned
    ]
    rule = "| " + " | ".join("-" * width for width in widths) + " |"
    return "\n".join([lines[0], rule, *lines[1:]])
