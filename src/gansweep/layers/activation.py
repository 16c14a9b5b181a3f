"""Elementwise layers: activation functions and multiplication by a constant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gansweep.layers.layer import Parameterless, Pass

if TYPE_CHECKING:
    from gansweep.layers.plain import Builder


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

    def push_forward(self, params: Sequence[Tensor], x: Tensor, tangent: Tensor, state: Pass) -> Tensor:
        """Return dy for dx = `tangent`, which has the same factors as `pull_back`."""
        return self.pull_back(params, x, tangent, state)

    def counterpart(self) -> nn.Module:
        """Return `nn.LeakyReLU`, or `nn.ReLU` for slope 0."""
        return nn.LeakyReLU(self.slope) if self.slope else nn.ReLU()


class Tanh(Parameterless):
    """Hyperbolic tangent: y = tanh(x), the usual output activation for images in [-1, 1]."""

    piecewise_linear = False

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Return the activations, with the shape of x."""
        return x.tanh()

    def counterpart(self) -> nn.Module:
        """Return `nn.Tanh`."""
        return nn.Tanh()


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

    def push_forward(self, params: Sequence[Tensor], x: Tensor, tangent: Tensor, state: Pass) -> Tensor:
        """Return dy for dx = `tangent`."""
        return self.factor * tangent

    def plain(self, x: Any, build: Builder) -> Any:
        """Add a product; `torch.nn` has no module for it."""
        return x * self.factor
