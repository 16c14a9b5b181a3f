"""Optimistic gradient descent (Daskalakis et al. 2018)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gansweep.dirac.rules.rule import Linear


@dataclass(frozen=True)
class Optimistic:
    """Optimistic gradient descent: x <- x + rate (2 v_t - v_{t-1}); the first step is along v.

    Daskalakis et al. 2018, arXiv:1711.00141, eq. 7. With simultaneous updates it
    converges on bilinear games at small rates, where gradient descent diverges.
    """

    @property
    def linear(self) -> Linear:
        """Coefficients of the rule as a linear recurrence."""
        return Linear(by_memory=-1.0, by_gradient=2.0, keep=0.0, take=1.0)

    def __call__(self, v: Any, memory: Any) -> tuple[Any, Any]:
        """Return the extrapolated direction, and v for the next step."""
        return v if memory is None else 2 * v - memory, v
