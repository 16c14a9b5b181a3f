"""Validation of beta coefficients."""

from __future__ import annotations

from collections.abc import Sequence

WORDS = {2: "two", 3: "three"}


def checked(betas: Sequence[float], count: int = 2) -> tuple[float, ...]:
    """Return `betas` (a list when read from YAML) as a tuple.

    Raises:
        ValueError: the number of values is not `count`, or a value is outside [0, 1).
    """
    if len(betas) != count or not all(0 <= beta < 1 for beta in betas):
        raise ValueError(f"betas={list(betas)}: expected {WORDS[count]} numbers, 0 <= beta < 1")
    return tuple(betas)
