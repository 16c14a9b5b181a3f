"""Texts of numbers of steps, p-values and comparisons with the record."""

from __future__ import annotations

import math

from gansweep.section import Entry
from gansweep.track.board import Board, Row


def verdict(board: Board, row: Row) -> str:
    """Return how an entry compares with the record."""
    if board.record is None:
        return "no record yet"
    if row is board.record:
        return "record"
    return f"{'tied with' if row.is_tied else 'behind'} the record ({p_text(row.p_record)})"


def steps(value: float) -> str:
    """Return a number of steps or seconds as text; infinity as N/A.

    >>> steps(275.0), steps(41.25), steps(math.inf)
    ('275', '41.2', 'N/A')
    """
    if not math.isfinite(value):
        return "N/A"
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def p_text(p: float) -> str:
    """Return a p-value as text.

    >>> p_text(0.0312), p_text(1e-5)
    ('p = 0.031', 'p < 0.001')
    """
    return f"p {p_value(p)}" if p < 0.001 else f"p = {p_value(p)}"


def p_value(p: float) -> str:
    """Return the number of a p-value as text.

    >>> p_value(0.0312), p_value(1e-5)
    ('0.031', '< 0.001')
    """
    return "< 0.001" if p < 0.001 else f"{p:.2g}"


def number_entry(value: float) -> Entry:
    """Return a number of steps or seconds as an entry of a table."""
    return Entry(steps(value), value if math.isfinite(value) else None)
