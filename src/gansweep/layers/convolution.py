"""Convolution and transposed convolution over the member axis."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch.nn.functional as F
from torch import Tensor

from gansweep.interfaces import Slot
from gansweep.layers.layer import Parameterless, Pass, each_member


class Conv2d(Parameterless):
    """As `torch.nn.Conv2d` with square kernels, weight (K, out, in, k, k).

    Members are convolved one after another: on a CPU grouped convolution is no faster, and
    its bits depend on the number of groups where there are few channels. They do not depend on
    the place in a pack, except for batches of one sample with kernels of 3 or less, which torch
    hands to a matrix product whose bits depend on where in memory the sample begins.
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
        return each_member(partial(F.conv2d, stride=self.stride, padding=self.padding), x, *params)

    def pull_back(self, params: Sequence[Tensor], x: Tensor, slope: Tensor, state: Pass) -> Tensor:
        """Turn (K, B, out, H', W') into (K, B, in, H, W) by the transposed convolution."""
        (height, width), kernel = x.shape[-2:], params[0].shape[-1]
        covered = [(side - 1) * self.stride - 2 * self.padding + kernel for side in slope.shape[-2:]]
        rest = (height - covered[0], width - covered[1])
        transposed = partial(F.conv_transpose2d, stride=self.stride, padding=self.padding, output_padding=rest)
        return each_member(transposed, slope, params[0])


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
        return each_member(partial(F.conv_transpose2d, **sizes), x, *params)

    def pull_back(self, params: Sequence[Tensor], x: Tensor, slope: Tensor, state: Pass) -> Tensor:
        """Turn (K, B, out, H', W') into (K, B, in, H, W) by the plain convolution."""
        return each_member(partial(F.conv2d, stride=self.stride, padding=self.padding), slope, params[0])
