"""A change of shape between layers."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from gansweep.layers.layer import Parameterless, Pass


class Reshape(Parameterless):
    """Give every sample another shape, as `torch.nn.Flatten` and `torch.nn.Unflatten` do."""

    def __init__(self, before: tuple[int, ...], after: tuple[int, ...]) -> None:
        self.before, self.after = before, after

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Map (K, B, *before) -> (K, B, *after)."""
        return x.reshape(*x.shape[:2], *self.after)

    def pull_back(self, params: Sequence[Tensor], x: Tensor, slope: Tensor, state: Pass) -> Tensor:
        """Give the slope the shape that the input had."""
        return slope.reshape(*slope.shape[:2], *self.before)
