"""Constant schedule."""

from __future__ import annotations

from dataclasses import dataclass

from gansweep.schedules.pointwise import Pointwise


@dataclass(frozen=True)
class Constant(Pointwise):
    """Constant learning rate: multiplier 1 in every step."""

    def __call__(self, step: int, total_steps: int) -> float:
        """Return 1."""
        return 1.0
