"""A constant factor."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from gansweep.layers.layer import Parameterless, Pass


class Scale(Parameterless):
    """y = factor * x."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Map any shape to itself."""
        return self.factor * x

    def pull_back(self, params: Sequence[Tensor], x: Tensor, slope: Tensor, state: Pass) -> Tensor:
        """Multiply by the same factor."""
        return self.factor * slope
