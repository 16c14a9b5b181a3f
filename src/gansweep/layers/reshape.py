"""Reshaping of samples between layers."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from gansweep.layers.layer import Parameterless, Pass


class Reshape(Parameterless):
    """Reshape every sample, as `torch.nn.Flatten` and `torch.nn.Unflatten` do."""

    def __init__(self, before: tuple[int, ...], after: tuple[int, ...]) -> None:
        self.before, self.after = before, after

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Return x (K, B, *before) in the shape (K, B, *after)."""
        return x.reshape(*x.shape[:2], *self.after)

    def pull_back(self, params: Sequence[Tensor], x: Tensor, grad_output: Tensor, state: Pass) -> Tensor:
        """Return dL/dy in the shape of the input, (K, B, *before)."""
        return grad_output.reshape(*grad_output.shape[:2], *self.before)
