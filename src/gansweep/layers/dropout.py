"""Dropout over the member axis, with masks that come from outside."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from gansweep.interfaces import Draw
from gansweep.layers.layer import Parameterless, Pass


class Dropout(Parameterless):
    """y = x * mask, mask = 1 / keep with chance keep and 0 otherwise, in training only.

    Srivastava et al. 2014, in the inverted form of `torch.nn.Dropout`.

    Args:
        shape: of one sample.
        p: chance that an entry is dropped.
    """

    def __init__(self, shape: tuple[int, ...], p: float) -> None:
        if not 0 <= p < 1:
            raise ValueError(f"p={p}: expected a chance 0 <= p < 1")
        self.draws = (Draw(shape, 1.0 - p),)

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Map any shape to itself."""
        return x * state.masks[0] if state.training else x

    def pull_back(self, params: Sequence[Tensor], x: Tensor, slope: Tensor, state: Pass) -> Tensor:
        """Multiply by the same mask."""
        return self.forward(params, slope, state)
