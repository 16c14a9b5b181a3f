"""Convolution and transposed convolution over the member axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch.nn.functional as F
from torch import Tensor

from gansweep.interfaces import Slot
from gansweep.layers.layer import Parameterless, Pass, each_member

# On a CPU torch (aten/src/ATen/native/Convolution.cpp, use_mkldnn) has float32 kernels of its own for convolutions
# with a large kernel, with a stride and two samples, or with 16 samples, whatever the number of threads.
LARGEST_SMALL_KERNEL, ENOUGH = 3, 16
LARGE_KERNEL = 7  # from here on a transposed convolution with a stride is done as a plain one on a CPU


class Conv2d(Parameterless):
    """As `torch.nn.Conv2d` with square kernels, weight (K, out, in, k, k).

    Members are convolved one after another: on a CPU grouped convolution is no faster, and
    its bits depend on the number of groups where there are few channels. Small batches with small
    kernels are filled up with zeros: torch would hand them to a matrix product whose bits depend on
    where in memory a member begins, and that is elsewhere at every place in a pack.
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
        """Map (K, B, in, H, W) -> (K, B, out, H', W')."""
        convolution = partial(F.conv2d, stride=self.stride, padding=self.padding)
        return _filled(convolution, x, params, self.stride)

    def pull_back(self, params: Sequence[Tensor], x: Tensor, slope: Tensor, state: Pass) -> Tensor:
        """Turn (K, B, out, H', W') into (K, B, in, H, W) by the transposed convolution."""
        (height, width), kernel = x.shape[-2:], params[0].shape[-1]
        if self.stride > 1 and kernel >= LARGE_KERNEL and x.device.type == "cpu":
            by_phases = partial(_transposed_by_phases, stride=self.stride, padding=self.padding, size=(height, width))
            return each_member(by_phases, slope, params[0])
        covered = [(side - 1) * self.stride - 2 * self.padding + kernel for side in slope.shape[-2:]]
        rest = (height - covered[0], width - covered[1])
        transposed = partial(F.conv_transpose2d, stride=self.stride, padding=self.padding, output_padding=rest)
        return _filled(transposed, slope, params[:1], self.stride)


class ConvTranspose2d(Parameterless):
    """As `torch.nn.ConvTranspose2d` with square kernels, weight (K, in, out, k, k)."""

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
        fan_in = num_out * kernel * kernel  # what torch's own initialisation takes it to be
        self.slots = (Slot(f"{name}.weight", (num_in, num_out, kernel, kernel), "weight", fan_in),)
        if bias:
            self.slots += (Slot(f"{name}.bias", (num_out,), "bias", fan_in),)

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Map (K, B, in, H, W) -> (K, B, out, H', W')."""
        sizes = {"stride": self.stride, "padding": self.padding, "output_padding": self.output_padding}
        return _filled(partial(F.conv_transpose2d, **sizes), x, params, self.stride)

    def pull_back(self, params: Sequence[Tensor], x: Tensor, slope: Tensor, state: Pass) -> Tensor:
        """Turn (K, B, out, H', W') into (K, B, in, H, W) by the plain convolution."""
        convolution = partial(F.conv2d, stride=self.stride, padding=self.padding)
        return _filled(convolution, slope, params[:1], self.stride)


def _transposed_by_phases(y: Tensor, weight: Tensor, stride: int, padding: int, size: tuple[int, int]) -> Tensor:
    """Map y (B, out, H', W') to x (B, in, *size), as the transpose of a convolution does.

        x[i] = sum_o w[i + padding - stride o] y[o]

    Entries whose i + padding leaves the same rest by the stride see the same part of the kernel: all rests
    together are a plain convolution with stride^2 times as many channels, each of its own small kernel.
    At 11 x 11, stride 2 and 3 channels that takes a tenth of torch's time on a CPU.
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
    """Convolve every member by itself, with as many samples as torch asks of its own kernels on a CPU."""
    num_samples, kernel = x.shape[1], params[0].shape[-1]
    least = 1 if kernel > LARGEST_SMALL_KERNEL or x.device.type != "cpu" else (ENOUGH if stride == 1 else 2)
    if num_samples >= least:
        return each_member(convolution, x, *params)
    return each_member(convolution, F.pad(x, (0, 0) * 3 + (0, least - num_samples)), *params)[:, :num_samples]
