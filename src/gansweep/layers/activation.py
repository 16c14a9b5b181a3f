"""Elementwise layers: activation functions and multiplication by a constant."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from gansweep.layers.layer import Parameterless, Pass


class LeakyReLU(Parameterless):
    """Leaky ReLU: y = x where x > 0, slope * x elsewhere; slope 0 gives the ReLU."""

    def __init__(self, slope: float) -> None:
        self.slope = slope

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Return the activations, with the shape of x."""
        return F.leaky_relu(x, self.slope)

    def pull_back(self, params: Sequence[Tensor], x: Tensor, grad_output: Tensor, state: Pass) -> Tensor:
        """Return dL/dx: dL/dy times 1 or the negative slope; this factor is a constant to autograd."""
        return torch.ops.aten.leaky_relu_backward(grad_output, x.detach(), self.slope, False)


class Tanh(Parameterless):
    """Hyperbolic tangent: y = tanh(x), the usual output activation for images in [-1, 1]."""

    piecewise_linear = False

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Return the activations, with the shape of x."""
        return x.tanh()


class Scale(Parameterless):
    """Multiply by a constant: y = factor * x."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Return factor * x, with the shape of x."""
        return self.factor * x

    def pull_back(self, params: Sequence[Tensor], x: Tensor, grad_output: Tensor, state: Pass) -> Tensor:
        """Return dL/dx: dL/dy times the factor."""
        return self.factor * grad_output
