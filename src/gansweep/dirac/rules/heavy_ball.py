"""Descent with momentum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gansweep.dirac.fields.field import Numbers
from gansweep.dirac.rules.rule import Linear


@dataclass(frozen=True)
class HeavyBall:
    """x <- x + rate m,   m <- momentum m + v.

    Polyak 1964; `torch.optim.SGD`, which refuses a momentum below 0. Gidel et al. 2019,
    arXiv:1807.04740, find that in alternating bilinear games only such a momentum converges.

    Args:
        momentum: fraction of the buffer that is kept, between -1 and 1.
    """

    momentum: Numbers = 0.9

    def __post_init__(self) -> None:
        if not np.all(np.abs(self.momentum) < 1):
            raise ValueError(f"momentum={self.momentum}: expected -1 < momentum < 1")

    @property
    def linear(self) -> Linear:
        """Return the rule as a recurrence."""
        return Linear(by_memory=self.momentum, by_gradient=1.0, keep=self.momentum, take=1.0)

    def __call__(self, v: Any, memory: Any) -> tuple[Any, Any]:
        """Return the buffer, twice."""
        m = v if memory is None else self.momentum * memory + v
        return m, m
