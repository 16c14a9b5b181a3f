"""RMSprop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


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
