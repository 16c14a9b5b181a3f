"""A smaller picture out of a larger one."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from gansweep.layers.layer import Parameterless, Pass


class Crop(Parameterless):
    """Keep the first `side` rows and columns of every map.

    After a transposed convolution it is what MatConvNet's `crop` takes off at the bottom and on the
    right beyond the `padding` that torch takes off on all sides.
    """

    def __init__(self, side: int) -> None:
        self.side = side

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Map (K, B, C, H, W) -> (K, B, C, side, side)."""
        return x[..., : self.side, : self.side]

    def pull_back(self, params: Sequence[Tensor], x: Tensor, slope: Tensor, state: Pass) -> Tensor:
        """Put zeros where something was taken off."""
        height, width = x.shape[-2:]
        return F.pad(slope, (0, width - self.side, 0, height - self.side))
