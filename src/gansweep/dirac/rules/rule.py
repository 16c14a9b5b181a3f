"""Interface of the update rules."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np


class Linear(NamedTuple):
    """Coefficients of a rule that is linear in the direction v and one state variable s.

        move = by_memory s + by_gradient v,   s <- keep s + take v

    Such a rule has a matrix, from which its convergence near an equilibrium follows.
    """

    by_memory: Any
    by_gradient: Any
    keep: Any
    take: Any

    @property
    def remembers(self) -> bool:
        """Whether the step depends on s."""
        return np.ndim(self.by_memory) > 0 or self.by_memory != 0


class Rule(Protocol):
    """Update rule: maps the direction v of a player to a step, x <- x + rate move.

    v is the negative gradient of the player's loss. A rule object is stateless: it receives the state
    that it returned in the previous step, and None in the first step.
    """

    @property
    def linear(self) -> Linear | None:
        """Coefficients of the rule as a linear recurrence; None for a nonlinear rule."""
        ...

    def __call__(self, v: Any, memory: Any) -> tuple[Any, Any]:
        """Return the step per unit rate, and the new state."""
        ...
