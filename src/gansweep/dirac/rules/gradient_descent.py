"""Gradient descent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gansweep.dirac.rules.rule import Linear


@dataclass(frozen=True)
class GradientDescent:
    """Gradient descent: x <- x + rate v."""

    @property
    def linear(self) -> Linear:
        """Coefficients of the rule as a linear recurrence."""
        return Linear(by_memory=0.0, by_gradient=1.0, keep=0.0, take=0.0)

    def __call__(self, v: Any, memory: Any) -> tuple[Any, Any]:
        """Return v, and no state."""
        return v, None
