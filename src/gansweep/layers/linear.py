"""Fully connected layer and label embedding, separately for each member."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gansweep.interfaces import Slot
from gansweep.layers.layer import Parameterless, Pass, each_member, first_sum

if TYPE_CHECKING:
    from gansweep.layers.plain import Builder

LARGEST_BATCHED = 1 << 15  # weights; above this size, the product takes longer than the overhead of a call
MULTIPLE = 8  # matrix sizes are padded to it, so that products round independently of K


class Linear(Parameterless):
    """Fully connected layer y = x W^T + b, as `torch.nn.Linear`, with W (K, out, in) and b (K, out).

    On a CPU, the rounding of a matrix product depends on the memory alignment of the matrices,
    which differs with the index of a member in the batch; on the number of threads; and, for a
    single output column, on K. If all sizes are multiples of 8, it depends on none of these, so
    other sizes are padded with zeros. A single column is computed as a sum, which is cheaper and
    also independent.

    For small layers, one batched product saves calls. For large layers, it is a sixth slower than one
    product per member. The choice depends only on the sizes and the device, never on K.
    """

    def __init__(self, name: str, num_in: int, num_out: int) -> None:
        self.num_in, self.num_out = num_in, num_out
        self.is_small = num_in * num_out <= LARGEST_BATCHED
        self.is_aligned = num_in % MULTIPLE == num_out % MULTIPLE == 0
        self.slots = (
            Slot(f"{name}.weight", (num_out, num_in), "weight", num_in),
            Slot(f"{name}.bias", (num_out,), "bias", num_in),
        )

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Return y (K, B, out) for x (K, B, in)."""
        weight, bias = params
        if self.num_out == 1:
            return (x * weight).sum(2, keepdim=True) + bias[:, None]
        if x.device.type != "cpu":
            return torch.baddbmm(bias[:, None], x, weight.transpose(1, 2))
        if self.is_aligned and x.shape[1] % MULTIPLE == 0:
            return self._product(x, weight, bias)
        y = self._product(_filled(x, 1, 2), _filled(weight, 1, 2), _filled(bias, 1))
        return _cut(y, x.shape[1], self.num_out)

    def _product(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        if self.is_small:
            return torch.baddbmm(bias[:, None], x, weight.transpose(1, 2))
        return each_member(F.linear, x, weight, bias)

    def pull_back(self, params: Sequence[Tensor], x: Tensor, grad_output: Tensor, state: Pass) -> Tensor:
        """Return dL/dx = dL/dy W (K, B, in) from dL/dy (K, B, out)."""
        weight = params[0]
        if self.num_out == 1:
            return grad_output * weight
        if x.device.type != "cpu":
            return torch.bmm(grad_output, weight)
        filled_grad, weight = _filled(grad_output, 1, 2), _filled(weight, 1, 2)
        product = torch.bmm(filled_grad, weight) if self.is_small else each_member(torch.mm, filled_grad, weight)
        return _cut(product, x.shape[1], self.num_in)

    def push_forward(self, params: Sequence[Tensor], x: Tensor, tangent: Tensor, state: Pass) -> Tensor:
        """Return tangent W^T (K, B, out)."""
        weight = params[0]
        return (tangent * weight).sum(2, keepdim=True) if self.num_out == 1 else tangent @ weight.mT

    def parameter_gradients(self, x: Tensor, grad_output: Tensor, n: int) -> list[Tensor]:
        """Return dL/dW, and dL/db of the first n samples, for inputs (K, B, in) and dL/dy (K, B, out)."""
        by_bias = first_sum(grad_output, n)
        if self.num_out == 1:
            return [(grad_output * x).sum(1, keepdim=True), by_bias]
        return [grad_output.mT @ x, by_bias]

    def counterpart(self) -> nn.Module:
        """Return `nn.Linear`."""
        return nn.Linear(self.num_in, self.num_out)


def _filled(matrices: Tensor, *axes: int) -> Tensor:
    """Pad the axes at their end with zeros to a multiple of 8."""
    missing = [-matrices.shape[axis] % MULTIPLE for axis in axes]
    if not any(missing):
        return matrices
    # As F.pad, without its checks, which take longer than the operation for small matrices.
    return torch.constant_pad_nd(matrices, [amount for last in reversed(missing) for amount in (0, last)])


def _cut(matrices: Tensor, height: int, width: int) -> Tensor:
    """Remove the padding: return (K, height, width)."""
    if matrices.shape[1:] == (height, width):
        return matrices  # even a full slice is copied in the backward pass
    return matrices[:, :height, :width]


class AppendLabel(Parameterless):
    """Concatenate a normalised label embedding to the input: y = (x, e / ||e||_2).

    e (1, size) is learned and the same for all samples. It corresponds to `torch.nn.Embedding(1, size)`
    of a conditional network when all samples have label 0.
    """

    piecewise_linear = False

    def __init__(self, name: str, size: int) -> None:
        self.slots = (Slot(f"{name}.weight", (1, size), "embedding"),)

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Return y (K, B, D + size) for x (K, B, D)."""
        (e,) = params
        return torch.cat([x, (e / e.norm(dim=2, keepdim=True)).expand(-1, x.shape[1], -1)], 2)

    def plain(self, x: Any, build: Builder) -> Any:
        """Add the embedding of label 0 and the concatenation."""
        e = build.parameter(self.slots[0])
        return torch.cat([x, (e / e.norm(dim=1, keepdim=True)).expand(x.shape[0], -1)], 1)
