"""Update rules linear in the gradient: gradient descent, heavy ball, optimistic descent.

Such a rule has a matrix. `gansweep.dirac.rules.adam` has the rules without one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from gansweep.dirac.fields.field import Numbers


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

    v is the negative gradient of the player's loss. A rule object is stateless: it receives the
    state that it returned in the previous step, and None in the first step.
    """

    @property
    def linear(self) -> Linear | None:
        """Coefficients of the rule as a linear recurrence; None for a nonlinear rule."""
        ...

    def __call__(self, v: Any, memory: Any) -> tuple[Any, Any]:
        """Return the step per unit rate, and the new state."""
        ...


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


@dataclass(frozen=True)
class HeavyBall:
    """Heavy-ball momentum: x <- x + rate m,   m <- momentum m + v.

    Polyak 1964; as `torch.optim.SGD`, which rejects a negative momentum. Gidel et al. 2019,
    arXiv:1807.04740, show that alternating bilinear games converge only with negative momentum.

    Args:
        momentum: decay factor of the buffer, between -1 and 1.
    """

    momentum: Numbers = 0.9

    def __post_init__(self) -> None:
        if not np.all(np.abs(self.momentum) < 1):
            raise ValueError(f"momentum={self.momentum}: expected -1 < momentum < 1")

    @property
    def linear(self) -> Linear:
        """Coefficients of the rule as a linear recurrence."""
        return Linear(by_memory=self.momentum, by_gradient=1.0, keep=self.momentum, take=1.0)

    def __call__(self, v: Any, memory: Any) -> tuple[Any, Any]:
        """Return the buffer m as step per unit rate and as state."""
        m = v if memory is None else self.momentum * memory + v
        return m, m


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
