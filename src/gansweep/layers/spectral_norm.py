"""Weights divided by their largest singular value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from gansweep.interfaces import Slot
from gansweep.layers.convolution import Conv2d
from gansweep.layers.layer import Parameterless, Pass, PullBack
from gansweep.layers.linear import Linear

FIRST_ITERATIONS = 15  # of torch, before the first pass
EPS = 1e-12
PARTS = 8  # that a length is summed in


class SpectralNorm(Parameterless):
    """Another layer with W / sigma in place of W, so that it stretches no input: sigma = u^T W v.

        u <- W v / ||W v||_2,   v <- W^T u / ||W^T u||_2      once in every training pass

    Miyato et al. 2018, arXiv:1802.05957, eq. 8 and algorithm 1, in the order and with the names of
    `torch.nn.utils.parametrizations.spectral_norm`. A kernel is taken as the matrix (out, all others).
    u and v are constants to the gradient, sigma is not.

    u and v are buffers of each member. Where a pass leaves its updates, the caller decides to keep
    them: the trainer does in the discriminator's own step. In penalties and in the generator's step
    the iteration starts from the kept ones, so that sigma is that of the weights as they are, and
    leads nowhere; torch's module would go on with it in every pass. Passes of evaluation do not iterate.
    Where batch norm has real and generated samples go through one after the other, both iterate.
    v starts from a vector of equal entries, and 15 iterations with the first weights follow.

    Args:
        layer: a linear layer or a convolution.
    """

    def __init__(self, layer: Linear | Conv2d) -> None:
        self.layer = layer
        weight, *rest = layer.slots
        name = weight.name.removesuffix(".weight")
        height, width = weight.shape[0], math.prod(weight.shape[1:])
        self.slots = (replace(weight, name=f"{name}.parametrizations.weight.original"), *rest)
        self.buffers = (
            Slot(f"{name}.parametrizations.weight.0._u", (height,), "statistic", start=height**-0.5),
            Slot(f"{name}.parametrizations.weight.0._v", (width,), "statistic", start=width**-0.5),
        )

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Map as the layer does."""
        return self.layer.forward(self._normalised(params, state), x, state)

    def linearised(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> tuple[Tensor, PullBack]:
        """Keep the normalised weight."""
        return self.layer.linearised(self._normalised(params, state), x, state)

    def pull_back(self, params: Sequence[Tensor], x: Tensor, slope: Tensor, state: Pass) -> Tensor:
        """Do as the layer does."""
        return self.layer.pull_back(self._normalised(params, state), x, slope, state)

    def begin(self, params: Sequence[Tensor], buffers: dict[str, Tensor]) -> None:
        """Iterate 15 times."""
        u, v = (buffers[slot.name] for slot in self.buffers)
        with torch.no_grad():
            for _ in range(FIRST_ITERATIONS):
                for buffer, value in zip((u, v), _iterated(params[0].flatten(2), v), strict=True):
                    buffer.copy_(value)

    def _normalised(self, params: Sequence[Tensor], state: Pass) -> list[Tensor]:
        weight, matrix = params[0], params[0].flatten(2)
        u, v = (state.buffers[slot.name] for slot in self.buffers)
        if state.training:
            with torch.no_grad():
                u, v = _iterated(matrix.detach(), v)
                state.updates |= {slot.name: value for slot, value in zip(self.buffers, (u, v), strict=True)}
        sigma = (u * (matrix * v[:, None]).sum(2)).sum(1)
        # over the rows first: its backward then sums every row before it sums rows. In one go that
        # is one number at K = 1, and threads share the sum
        rows = sigma[:, None].expand(-1, matrix.shape[1]).reshape(*matrix.shape[:2], *(1,) * (weight.ndim - 2))
        normalised = weight / rows
        if not torch.compiler.is_compiling():  # which lays out gradients by itself
            normalised = _InOrder.apply(normalised)
        return [normalised, *params[1:]]


class _InOrder(torch.autograd.Function):
    """y = x, with a gradient whose entries lie in memory in the order of its axes.

    Convolutions give a single member's gradient as they computed it, and that of several members in order;
    the sums that lead to sigma would add it up in either order.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0].contiguous()


def _iterated(matrix: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """Return the next u (K, h) and v (K, w) of matrices (K, h, w).

    Sums of products and no matrix products, whose bits depend on where in memory a member begins.
    """
    u = _unit((matrix * v[:, None]).sum(2))
    return u, _unit((matrix * u[:, :, None]).sum(1))


def _unit(vectors: Tensor) -> Tensor:
    """Divide (K, n) by its lengths, which are summed in parts so that threads never share a sum."""
    squares = vectors.square()
    whole = len(vectors[0]) // PARTS * PARTS
    sums = torch.cat([squares[:, :whole].unflatten(1, (PARTS, -1)).sum(2), squares[:, whole:]], 1)
    return vectors / sums.sum(1, keepdim=True).sqrt().clamp(min=EPS)
