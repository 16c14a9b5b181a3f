"""Smaller and larger images over the member axis, without parameters."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from gansweep.layers.layer import Parameterless, Pass


class AvgPool2d(Parameterless):
    """As `torch.nn.AvgPool2d`: every output is the mean of a window, with zeros beyond the border."""

    def __init__(self, kernel: int, stride: int, padding: int = 0) -> None:
        self.kernel, self.stride, self.padding = kernel, stride, padding

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Map (K, B, C, H, W) -> (K, B, C, H', W')."""
        return F.avg_pool2d(x.flatten(0, 1), self.kernel, self.stride, self.padding).unflatten(0, x.shape[:2])

    def pull_back(self, params: Sequence[Tensor], x: Tensor, slope: Tensor, state: Pass) -> Tensor:
        """Give every pixel its share of the windows that it is in."""
        sizes = [self.kernel] * 2, [self.stride] * 2, [self.padding] * 2
        # of x only the shape matters, but the kernel asks for one dtype
        shaped = x.detach().to(slope.dtype).flatten(0, 1)
        flat = torch.ops.aten.avg_pool2d_backward(slope.flatten(0, 1), shaped, *sizes, False, True, None)
        return flat.unflatten(0, x.shape[:2])


class Upsample(Parameterless):
    """As `torch.nn.Upsample(scale_factor=2)`: every pixel becomes a square of 2 x 2."""

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Map (K, B, C, H, W) -> (K, B, C, 2H, 2W)."""
        return F.interpolate(x.flatten(0, 1), scale_factor=2, mode="nearest").unflatten(0, x.shape[:2])

    def pull_back(self, params: Sequence[Tensor], x: Tensor, slope: Tensor, state: Pass) -> Tensor:
        """Add up every square."""
        return F.avg_pool2d(slope.flatten(0, 1), 2, divisor_override=1).unflatten(0, x.shape[:2])
