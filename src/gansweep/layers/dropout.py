"""Dropout over the member axis, with masks that come from outside."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from gansweep.interfaces import Draw
from gansweep.layers.layer import Parameterless, Pass, PullBack


class Dropout(Parameterless):
    """y = x * mask, mask = 1 / keep with chance keep and 0 otherwise, in training only.

    Srivastava et al. 2014, in the inverted form of `torch.nn.Dropout`.

    Args:
        shape: of one sample.
        p: chance that an entry is dropped.
        in_evaluation: drop in evaluation too, by masks from torch's own stream, new ones in every
            pass. A slip of implementations, kept to reproduce results that have it.
    """

    def __init__(self, shape: tuple[int, ...], p: float, in_evaluation: bool = False) -> None:
        if not 0 <= p < 1:
            raise ValueError(f"p={p}: expected a chance 0 <= p < 1")
        self.draws = (Draw(shape, 1.0 - p),)
        self.in_evaluation = in_evaluation

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Map any shape to itself."""
        if state.training:
            return x * state.masks[0]
        return x * self._new_mask(x) if self.in_evaluation else x

    def pull_back(self, params: Sequence[Tensor], x: Tensor, slope: Tensor, state: Pass) -> Tensor:
        """Multiply by the same mask."""
        return self.forward(params, slope, state)

    def linearised(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> tuple[Tensor, PullBack]:
        """Keep the mask for the way back where it was drawn here."""
        if state.training or not self.in_evaluation:
            return super().linearised(params, x, state)
        mask = self._new_mask(x)
        return x * mask, lambda slope: slope * mask

    def _new_mask(self, x: Tensor) -> Tensor:
        return F.dropout(torch.ones_like(x), 1.0 - self.draws[0].keep)
