"""Fully connected layer over the member axis."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from gansweep.interfaces import Slot
from gansweep.layers.layer import Parameterless, Pass, each_member

LARGEST_BATCHED = 1 << 15  # weights; beyond, the product takes longer than the call
MULTIPLE = 8


class Linear(Parameterless):
    """y = x W^T + b, as `torch.nn.Linear`, with W (K, out, in) and b (K, out).

    The bits of a product on a CPU depend on where in memory its matrices begin, and a member's
    begin elsewhere at every place in a pack; on the number of threads; and, where there is a
    single column, on K. None of this happens where all sizes are multiples of 8, so others are
    filled up with zeros. A single column is cheaper as a sum, which has none of it either.

    A batched product spares calls where several members are small, but is a sixth slower than
    one product per member where they are large. The form depends on the sizes and the device
    alone, never on K.
    """

    def __init__(self, name: str, num_in: int, num_out: int) -> None:
        self.num_in, self.num_out = num_in, num_out
        self.slots = (
            Slot(f"{name}.weight", (num_out, num_in), "weight", num_in),
            Slot(f"{name}.bias", (num_out,), "bias", num_in),
        )

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Map (K, B, in) -> (K, B, out)."""
        weight, bias = params
        if self.num_out == 1:
            return (x * weight).sum(2, keepdim=True) + bias[:, None]
        if x.device.type != "cpu":
            return torch.baddbmm(bias[:, None], x, weight.transpose(1, 2))
        filled_x, weight, bias = _filled(x, 1, 2), _filled(weight, 1, 2), _filled(bias, 1)
        if self._is_small:
            y = torch.baddbmm(bias[:, None], filled_x, weight.transpose(1, 2))
        else:
            y = each_member(F.linear, filled_x, weight, bias)
        return _cut(y, x.shape[1], self.num_out)

    def pull_back(self, params: Sequence[Tensor], x: Tensor, slope: Tensor, state: Pass) -> Tensor:
        """Turn (K, B, out) into (K, B, in): dL/dx = dL/dy W."""
        weight = params[0]
        if self.num_out == 1:
            return slope * weight
        if x.device.type != "cpu":
            return torch.bmm(slope, weight)
        filled_slope, weight = _filled(slope, 1, 2), _filled(weight, 1, 2)
        product = torch.bmm(filled_slope, weight) if self._is_small else each_member(torch.mm, filled_slope, weight)
        return _cut(product, x.shape[1], self.num_in)

    @property
    def _is_small(self) -> bool:
        return self.num_in * self.num_out <= LARGEST_BATCHED


def _filled(matrices: Tensor, *axes: int) -> Tensor:
    """Add zeros at the end of the axes up to a multiple of 8."""
    missing = [-matrices.shape[axis] % MULTIPLE for axis in axes]
    if not any(missing):
        return matrices
    return F.pad(matrices, [amount for last in reversed(missing) for amount in (0, last)])


def _cut(matrices: Tensor, height: int, width: int) -> Tensor:
    """Take the zeros off again: (K, height, width)."""
    if matrices.shape[1:] == (height, width):
        return matrices  # a slice that takes everything would still copy in the backward pass
    return matrices[:, :height, :width]
