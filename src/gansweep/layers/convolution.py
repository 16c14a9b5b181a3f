"""Convolution and transposed convolution, separately for each member."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from gansweep.interfaces import Slot
from gansweep.layers.layer import Parameterless, Pass, each_member

# On a CPU, torch (aten/src/ATen/native/Convolution.cpp, use_mkldnn) uses oneDNN float32 kernels for
# convolutions with a large kernel, with a stride and two samples, or with 16 samples, independently
# of the number of threads.
LARGEST_SMALL_KERNEL, ENOUGH = 3, 16
LARGE_KERNEL = 7  # from this size, a strided transposed convolution is computed as a plain convolution on a CPU


class Conv2d(Parameterless):
    """2D convolution with square kernels, as `torch.nn.Conv2d`; weight (K, out, in, k, k).

    The members are convolved one after another. On a CPU, grouped convolution is not faster, and
    its rounding depends on the number of groups if there are few channels. Small batches with small
    kernels are padded with zero samples. Without the padding, torch would use a matrix product
    whose rounding depends on the memory alignment of a member's data, hence on its index in the
    batch of members.
    """

    def __init__(
        self, name: str, num_in: int, num_out: int, kernel: int, stride: int = 1, padding: int = 0, bias: bool = True
    ) -> None:
        self.stride, self.padding = stride, padding
        fan_in = num_in * kernel * kernel
        self.slots = (Slot(f"{name}.weight", (num_out, num_in, kernel, kernel), "weight", fan_in),)
        if bias:
            self.slots += (Slot(f"{name}.bias", (num_out,), "bias", fan_in),)

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Return y (K, B, out, H', W') for x (K, B, in, H, W)."""
        convolution = partial(F.conv2d, stride=self.stride, padding=self.padding)
        return _filled(convolution, x, params, self.stride)

    def pull_back(self, params: Sequence[Tensor], x: Tensor, grad_output: Tensor, state: Pass) -> Tensor:
        """Return dL/dx (K, B, in, H, W) from dL/dy (K, B, out, H', W'): a transposed convolution."""
        (height, width), kernel = x.shape[-2:], params[0].shape[-1]
        if self.stride > 1 and kernel >= LARGE_KERNEL and x.device.type == "cpu":
            by_phases = partial(_transposed_by_phases, stride=self.stride, padding=self.padding, size=(height, width))
            return each_member(by_phases, grad_output, params[0])
        covered = [(side - 1) * self.stride - 2 * self.padding + kernel for side in grad_output.shape[-2:]]
        output_padding = (height - covered[0], width - covered[1])
        sizes = {"stride": self.stride, "padding": self.padding, "output_padding": output_padding}
        transposed = partial(F.conv_transpose2d, **sizes)
        return _filled(transposed, grad_output, params[:1], self.stride)

    def counterpart(self) -> nn.Module:
        """Return `nn.Conv2d`."""
        num_out, num_in, kernel, _ = self.slots[0].shape
        return nn.Conv2d(num_in, num_out, kernel, self.stride, self.padding, bias=len(self.slots) > 1)


class ConvTranspose2d(Parameterless):
    """2D transposed convolution, as `torch.nn.ConvTranspose2d`; weight (K, in, out, k, k)."""

    def __init__(
        self,
        name: str,
        num_in: int,
        num_out: int,
        kernel: int,
        stride: int = 1,
        padding: int = 0,
        bias: bool = True,
        output_padding: int = 0,
    ) -> None:
        self.stride, self.padding, self.output_padding = stride, padding, output_padding
        fan_in = num_out * kernel * kernel  # the value that torch's initialisation uses
        self.slots = (Slot(f"{name}.weight", (num_in, num_out, kernel, kernel), "weight", fan_in),)
        if bias:
            self.slots += (Slot(f"{name}.bias", (num_out,), "bias", fan_in),)

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Return y (K, B, out, H', W') for x (K, B, in, H, W)."""
        sizes = {"stride": self.stride, "padding": self.padding, "output_padding": self.output_padding}
        return _filled(partial(F.conv_transpose2d, **sizes), x, params, self.stride)

    def pull_back(self, params: Sequence[Tensor], x: Tensor, grad_output: Tensor, state: Pass) -> Tensor:
        """Return dL/dx (K, B, in, H, W) from dL/dy (K, B, out, H', W'): a plain convolution."""
        convolution = partial(F.conv2d, stride=self.stride, padding=self.padding)
        return _filled(convolution, grad_output, params[:1], self.stride)

    def counterpart(self) -> nn.Module:
        """Return `nn.ConvTranspose2d`."""
        num_in, num_out, kernel, _ = self.slots[0].shape
        sizes = (kernel, self.stride, self.padding, self.output_padding)
        return nn.ConvTranspose2d(num_in, num_out, *sizes, bias=len(self.slots) > 1)


def _transposed_by_phases(y: Tensor, weight: Tensor, stride: int, padding: int, size: tuple[int, int]) -> Tensor:
    """Return the transposed convolution x (B, in, *size) of y (B, out, H', W').

        x[i] = sum_o w[i + padding - stride o] y[o]

    All x[i] with the same (i + padding) mod stride use the same subset of the kernel. The
    transposed convolution is therefore one plain convolution with stride^2 times as many channels
    and small kernels, followed by a pixel shuffle. At 11 x 11, stride 2 and 3 channels it takes a
    tenth of torch's time on a CPU.
    """
    num_out, num_in, kernel, _ = weight.shape
    taps, first = -(-kernel // stride), padding // stride
    blocks = [-(-(padding + side) // stride) - first for side in size]
    filled = F.pad(weight, (0, taps * stride - kernel) * 2).view(num_out, num_in, taps, stride, taps, stride)
    phases = filled.permute(1, 3, 5, 0, 2, 4).reshape(-1, num_out, taps, taps).flip(-2, -1)
    before = taps - 1 - first
    after = [first + count - side for count, side in zip(blocks, y.shape[-2:], strict=True)]
    x = F.pixel_shuffle(F.conv2d(F.pad(y, (before, after[1], before, after[0])), phases), stride)
    off = padding - first * stride
    return x[..., off : off + size[0], off : off + size[1]]


def _filled(convolution: Callable[..., Tensor], x: Tensor, params: Sequence[Tensor], stride: int) -> Tensor:
    """Convolve each member, with the batch padded to the size at which a CPU uses oneDNN."""
    num_samples, kernel = x.shape[1], params[0].shape[-1]
    least = 1 if kernel > LARGEST_SMALL_KERNEL or x.device.type != "cpu" else (ENOUGH if stride == 1 else 2)
    if num_samples >= least:
        return each_member(convolution, x, *params)
    return each_member(convolution, F.pad(x, (0, 0) * 3 + (0, least - num_samples)), *params)[:, :num_samples]


class ThirdDerivatives(TorchFunctionMode):
    """Context in which transposed convolutions have third derivatives, as products with a game's Jacobian need them.

    torch has none for a transposed convolution with `output_padding`. Here the whole transposed convolution is
    computed, and the rows and columns of the padding are cut off; values differ by rounding.
    """

    FUNCTIONS = (torch.conv_transpose1d, torch.conv_transpose2d, torch.conv_transpose3d)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call a function of torch."""
        return (partial(_cut, func) if func in self.FUNCTIONS else func)(*args, **(kwargs or {}))


def _cut(
    transposed: Callable[..., Tensor],
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    dilation: int | Sequence[int] = 1,
) -> Tensor:
    """Return a transposed convolution with the arguments of torch, without its `padding` and `output_padding`."""
    num = weight.dim() - 2
    before, after = ([n] * num if isinstance(n, int) else list(n) for n in (padding, output_padding))
    if not any(after):
        return transposed(input, weight, bias, stride, padding, output_padding, groups, dilation)
    y = transposed(input, weight, None, stride, 0, 0, groups, dilation)
    for dim, first, further in zip(range(-num, 0), before, after, strict=True):
        y = y.narrow(dim, first, y.shape[dim] - first - max(first - further, 0))
    missing = [n for first, further in zip(before, after, strict=True) for n in (max(further - first, 0), 0)]
    y = F.pad(y, missing[::-1])  # the last dimension comes first
    return y if bias is None else y + bias.to(y.dtype).view(-1, *[1] * num)
