"""Durations given in steps or as a fraction of the run."""

from __future__ import annotations

import math


def check_stretch(name: str, length: float) -> None:
    """Raise ValueError unless `length` is a whole number of steps, or a fraction from 0 to 1."""
    if not 0 <= length < math.inf or (length >= 1 and length != int(length)):
        raise ValueError(f"{name}={length}: expected a whole number of steps, or a fraction from 0 to 1")


def num_steps(length: float, total_steps: int) -> int:
    """Return a duration in steps; fractions of the run are rounded to whole steps.

    >>> num_steps(50, 200), num_steps(0.1, 200)
    (50, 20)
    """
    return round(length * total_steps) if length < 1 else int(length)
