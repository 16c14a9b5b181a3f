"""Update rules with a normalised step, which have no matrix: Adam and RMSprop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


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
