"""Cropping of feature maps."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from gansweep.layers.layer import Parameterless, Pass


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
