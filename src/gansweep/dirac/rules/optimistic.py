"""Descent that expects the direction to change as it just did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gansweep.dirac.rules.rule import Linear


@dataclass(frozen=True)
class Optimistic:
    """x <- x + rate (2 v - v of the step before), and a first step along v.

    Daskalakis et al. 2018, arXiv:1711.00141, eq. 7. With both players at once it converges
    on bilinear games at small rates, where plain descent leaves.
    """

    @property
    def linear(self) -> Linear:
        """Return the rule as a recurrence."""
        return Linear(by_memory=-1.0, by_gradient=2.0, keep=0.0, take=1.0)

    def __call__(self, v: Any, memory: Any) -> tuple[Any, Any]:
        """Return the extrapolated direction, and v for the next step."""
        return v if memory is None else 2 * v - memory, v
