"""Dropout with masks that the caller passes in."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from gansweep.interfaces import Draw
from gansweep.layers.layer import Parameterless, Pass, PullBack


class Dropout(Parameterless):
    """Inverted dropout, active in training only.

        y = x * mask,   mask = 1 / keep with probability keep = 1 - p, otherwise 0

    Srivastava et al. 2014, in the inverted form of `torch.nn.Dropout`.

    Args:
        shape: shape of one sample.
        p: probability that an entry is dropped.
        in_evaluation: apply dropout in evaluation as well, with a new mask from torch's global random
            stream in every pass. This is a mistake of some implementations; it is available to
            reproduce their results.
    """

    def __init__(self, shape: tuple[int, ...], p: float, in_evaluation: bool = False) -> None:
        if not 0 <= p < 1:
            raise ValueError(f"p={p}: expected a probability 0 <= p < 1")
        self.draws = (Draw(shape, 1.0 - p),)
        self.in_evaluation = in_evaluation

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Return x times the mask in training, otherwise x."""
        if state.training:
            return x * state.masks[0]
        return x * self._new_mask(x) if self.in_evaluation else x

    def pull_back(self, params: Sequence[Tensor], x: Tensor, grad_output: Tensor, state: Pass) -> Tensor:
        """Return dL/dx: dL/dy times the same mask."""
        return self.forward(params, grad_output, state)

    def linearised(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> tuple[Tensor, PullBack]:
        """Return y and the function from dL/dy to dL/dx; both use the same mask."""
        if state.training or not self.in_evaluation:
            return super().linearised(params, x, state)
        mask = self._new_mask(x)
        return x * mask, lambda grad: grad * mask

    def _new_mask(self, x: Tensor) -> Tensor:
        return F.dropout(torch.ones_like(x), 1.0 - self.draws[0].keep)
