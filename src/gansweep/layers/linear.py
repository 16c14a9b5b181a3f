"""Fully connected layer over the member axis."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from gansweep.interfaces import Slot
from gansweep.layers.layer import Parameterless, Pass, each_member

LARGEST_BATCHED = 1 << 15  # weights; beyond, the product takes longer than the call


class Linear(Parameterless):
    """y = x W^T + b, as `torch.nn.Linear`, with W (K, out, in) and b (K, out).

    Three forms of one product. A batched product spares calls where several members are
    small, but on a CPU it gives the same bits for every K and any number of threads only where
    all sizes are multiples of 8, and is a sixth slower than one product per member where they
    are large; a product with a single column takes another path at K = 1 than beyond. The form
    depends on the sizes and the device alone, never on K.
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
        if self._batched(x):
            return torch.baddbmm(bias[:, None], x, weight.transpose(1, 2))
        return each_member(F.linear, x, weight, bias)

    def pull_back(self, params: Sequence[Tensor], x: Tensor, slope: Tensor, state: Pass) -> Tensor:
        """Turn (K, B, out) into (K, B, in): dL/dx = dL/dy W."""
        weight = params[0]
        if self.num_out == 1:
            return slope * weight
        if self._batched(x):
            return torch.bmm(slope, weight)
        return each_member(torch.mm, slope, weight)

    def _batched(self, x: Tensor) -> bool:
        if x.device.type != "cpu":
            return True
        sizes = (self.num_in, self.num_out, x.shape[1])
        return self.num_in * self.num_out <= LARGEST_BATCHED and all(size % 8 == 0 for size in sizes)
