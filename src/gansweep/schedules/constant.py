"""One rate for the whole run."""

from __future__ import annotations

from dataclasses import dataclass

from gansweep.schedules.pointwise import Pointwise


@dataclass(frozen=True)
class Constant(Pointwise):
    """The base rate from the first step to the last."""

    def __call__(self, step: int, total_steps: int) -> float:
        """Return 1."""
        return 1.0
