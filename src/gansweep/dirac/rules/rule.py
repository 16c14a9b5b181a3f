"""What the optimizers of the toy have in common."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np


class Linear(NamedTuple):
    """A rule that is linear in the gradient v and in one number s that it remembers.

        move = by_memory s + by_gradient v,   s <- keep s + take v

    Such a rule has a matrix, and its convergence near a point of rest can be computed.
    """

    by_memory: Any
    by_gradient: Any
    keep: Any
    take: Any

    @property
    def remembers(self) -> bool:
        """Tell whether s matters."""
        return np.ndim(self.by_memory) > 0 or self.by_memory != 0


class Rule(Protocol):
    """An optimizer: how a player's direction v becomes a move, x <- x + rate move.

    v is the direction that the player wants, minus the gradient of its loss. A rule keeps no
    state: it is handed what it returned before, and None in a player's first step.
    """

    @property
    def linear(self) -> Linear | None:
        """The same rule as a recurrence, None if it isn't linear."""
        ...

    def __call__(self, v: Any, memory: Any) -> tuple[Any, Any]:
        """Return the move and what to remember."""
        ...
