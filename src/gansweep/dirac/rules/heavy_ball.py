"""Heavy-ball momentum (Polyak 1964)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gansweep.dirac.fields.field import Numbers
from gansweep.dirac.rules.rule import Linear


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
