"""Layers that change the shape of samples: pooling, upsampling, cropping and reshaping."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gansweep.layers.layer import Parameterless, Pass

if TYPE_CHECKING:
    from gansweep.layers.plain import Builder


class AvgPool2d(Parameterless):
    """Average pooling with zero padding, as `torch.nn.AvgPool2d`."""

    def __init__(self, kernel: int, stride: int, padding: int = 0) -> None:
        self.kernel, self.stride, self.padding = kernel, stride, padding

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Return the pooled images (K, B, C, H', W') of x (K, B, C, H, W)."""
        return F.avg_pool2d(x.flatten(0, 1), self.kernel, self.stride, self.padding).unflatten(0, x.shape[:2])

    def pull_back(self, params: Sequence[Tensor], x: Tensor, grad_output: Tensor, state: Pass) -> Tensor:
        """Return dL/dx (K, B, C, H, W): every dL/dy distributed evenly over its window."""
        sizes = [self.kernel] * 2, [self.stride] * 2, [self.padding] * 2
        # Only the shape of x is used, but the kernel requires equal dtypes.
        shaped = x.detach().to(grad_output.dtype).flatten(0, 1)
        flat = torch.ops.aten.avg_pool2d_backward(grad_output.flatten(0, 1), shaped, *sizes, False, True, None)
        return flat.unflatten(0, x.shape[:2])

    def counterpart(self) -> nn.Module:
        """Return `nn.AvgPool2d`."""
        return nn.AvgPool2d(self.kernel, self.stride, self.padding)


class Upsample(Parameterless):
    """Nearest-neighbour upsampling by a factor of 2, as `torch.nn.Upsample(scale_factor=2)`."""

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Return the upsampled images (K, B, C, 2H, 2W) of x (K, B, C, H, W)."""
        return F.interpolate(x.flatten(0, 1), scale_factor=2, mode="nearest").unflatten(0, x.shape[:2])

    def pull_back(self, params: Sequence[Tensor], x: Tensor, grad_output: Tensor, state: Pass) -> Tensor:
        """Return dL/dx (K, B, C, H, W): the sum of dL/dy over every 2 x 2 square."""
        return F.avg_pool2d(grad_output.flatten(0, 1), 2, divisor_override=1).unflatten(0, x.shape[:2])

    def counterpart(self) -> nn.Module:
        """Return `nn.Upsample`."""
        return nn.Upsample(scale_factor=2)


class Reshape(Parameterless):
    """Reshape every sample, as `torch.nn.Flatten` and `torch.nn.Unflatten` do."""

    def __init__(self, before: tuple[int, ...], after: tuple[int, ...]) -> None:
        self.before, self.after = before, after

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Return x (K, B, *before) in the shape (K, B, *after)."""
        return x.reshape(*x.shape[:2], *self.after)

    def pull_back(self, params: Sequence[Tensor], x: Tensor, grad_output: Tensor, state: Pass) -> Tensor:
        """Return dL/dy in the shape of the input, (K, B, *before)."""
        return grad_output.reshape(*grad_output.shape[:2], *self.before)

    def push_forward(self, params: Sequence[Tensor], x: Tensor, tangent: Tensor, state: Pass) -> Tensor:
        """Return dy for dx = `tangent`, (K, B, *after)."""
        return self.forward(params, tangent, state)

    def plain(self, x: Any, build: Builder) -> Any:
        """Add `nn.Flatten`, `nn.Unflatten`, or a call of `reshape`."""
        build.on_maps = len(self.after) == 3
        if len(self.after) == 1:
            return build.call(nn.Flatten(), x)
        if len(self.before) == 1:
            return build.call(nn.Unflatten(1, self.after), x)
        return x.reshape(-1, *self.after)


class Crop(Parameterless):
    """Crop every feature map to its first `side` rows and columns.

    After a transposed convolution, it removes the rows at the bottom and the columns on the right that
    MatConvNet's `crop` removes in addition to the `padding` that torch removes on all sides.
    """

    def __init__(self, side: int) -> None:
        self.side = side

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Return the cropped maps (K, B, C, side, side) of x (K, B, C, H, W)."""
        return x[..., : self.side, : self.side]

    def pull_back(self, params: Sequence[Tensor], x: Tensor, grad_output: Tensor, state: Pass) -> Tensor:
        """Return dL/dx (K, B, C, H, W): dL/dy padded with zeros."""
        height, width = x.shape[-2:]
        return F.pad(grad_output, (0, width - self.side, 0, height - self.side))

    def plain(self, x: Any, build: Builder) -> Any:
        """Add a slice; `torch.nn` has no module for it."""
        return x[..., : self.side, : self.side]
