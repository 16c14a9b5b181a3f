"""Activations over the member axis."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from gansweep.layers.layer import Parameterless, Pass


class LeakyReLU(Parameterless):
    """y = x where x > 0, slope * x elsewhere; slope 0 is the ReLU."""

    def __init__(self, slope: float) -> None:
        self.slope = slope

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Map any shape to itself."""
        return F.leaky_relu(x, self.slope)

    def pull_back(self, params: Sequence[Tensor], x: Tensor, slope: Tensor, state: Pass) -> Tensor:
        """Multiply by 1 or by the slope; the kink itself is a constant."""
        return torch.ops.aten.leaky_relu_backward(slope, x.detach(), self.slope, False)


class Tanh(Parameterless):
    """y = tanh(x), the usual end of a generator of images in [-1, 1]."""

    piecewise_linear = False

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Map any shape to itself."""
        return x.tanh()
