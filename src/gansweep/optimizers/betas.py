"""How long rules remember."""

from __future__ import annotations

from collections.abc import Sequence

WORDS = {2: "two", 3: "three"}


def checked(betas: Sequence[float], count: int = 2) -> tuple[float, ...]:
    """Return betas, a list where they come from YAML, as a tuple.

    Raises:
        ValueError: they are not so many, or not all in [0, 1).
    """
    if len(betas) != count or not all(0 <= beta < 1 for beta in betas):
        raise ValueError(f"betas={list(betas)}: expected {WORDS[count]} numbers, 0 <= beta < 1")
    return tuple(betas)
