"""Update rules of the Dirac-GAN in numpy, vectorized over games.

Gradient descent, heavy ball and optimistic descent are linear in the gradient and have a matrix; Adam and
RMSprop, whose steps are normalised, have none.
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


@dataclass(frozen=True)
class Adam:
    """Adam: x <- x + rate m_hat / (sqrt(s_hat) + eps), with bias-corrected moments.

        m <- beta1 m + (1 - beta1) v,   m_hat = m / (1 - beta1^t)
        s <- beta2 s + (1 - beta2) v^2, s_hat = s / (1 - beta2^t)

    As `gansweep.optimizers.adam`; t counts this player's steps from 1.

    Args:
        betas: decay rates of m and s; the first may be negative here.
        eps: added to the square root.
    """

    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8

    def __post_init__(self) -> None:
        if not (-1 < self.betas[0] < 1 and 0 <= self.betas[1] < 1):
            raise ValueError(f"betas={self.betas}: expected -1 < beta1 < 1 and 0 <= beta2 < 1")
        if not 0 < self.eps < np.inf:
            raise ValueError(f"eps={self.eps}: expected a number > 0")

    @property
    def linear(self) -> None:
        """None: Adam is not linear in the gradient."""

    def __call__(self, v: Any, memory: Any) -> tuple[Any, Any]:
        """Return the step per unit rate, and the state (m, s, t)."""
        beta1, beta2 = self.betas
        m, s, t = (0.0, 0.0, 0) if memory is None else memory
        m, s, t = beta1 * m + (1 - beta1) * v, beta2 * s + (1 - beta2) * v * v, t + 1
        return m / (1 - beta1**t) / (np.sqrt(s / (1 - beta2**t)) + self.eps), (m, s, t)


@dataclass(frozen=True)
class RMSprop:
    """RMSprop: x <- x + rate v / (sqrt(s) + eps),   s <- alpha s + (1 - alpha) v^2.

    As `gansweep.optimizers.rmsprop`: s starts at 0, so the first step is rate / sqrt(1 - alpha).

    Args:
        alpha: decay rate of the mean square.
        eps: added to the square root.
    """

    alpha: float = 0.99
    eps: float = 1e-8

    def __post_init__(self) -> None:
        if not 0 <= self.alpha < 1:
            raise ValueError(f"alpha={self.alpha}: expected 0 <= alpha < 1")
        if not 0 < self.eps < np.inf:
            raise ValueError(f"eps={self.eps}: expected a number > 0")

    @property
    def linear(self) -> None:
        """None: RMSprop is not linear in the gradient."""

    def __call__(self, v: Any, memory: Any) -> tuple[Any, Any]:
        """Return the normalized direction, and the mean square s."""
        s = (1 - self.alpha) * v * v + (0.0 if memory is None else self.alpha * memory)
        return v / (np.sqrt(s) + self.eps), s
