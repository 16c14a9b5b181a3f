"""Multiplication by a constant."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from gansweep.layers.layer import Parameterless, Pass


class Scale(Parameterless):
    """Multiply by a constant: y = factor * x."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Return factor * x, with the shape of x."""
        return self.factor * x

    def pull_back(self, params: Sequence[Tensor], x: Tensor, grad_output: Tensor, state: Pass) -> Tensor:
        """Return dL/dx: dL/dy times the factor."""
        return self.factor * grad_output
