"""Spectral normalisation of weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from gansweep.interfaces import Slot
from gansweep.layers.chain import Residual
from gansweep.layers.conditional import Embedding, Projection
from gansweep.layers.convolution import Conv2d
from gansweep.layers.layer import Layer, Parameterless, Pass, PullBack
from gansweep.layers.linear import Linear

if TYPE_CHECKING:
    from gansweep.layers.plain import Builder

FIRST_ITERATIONS = 15  # power iterations before the first pass, as in torch
EPS = 1e-12
PARTS = 8  # number of partial sums of a squared norm


class SpectralNorm(Parameterless):
    """Spectral normalisation: a layer whose weight W is divided by its largest singular value sigma.

        W -> W / sigma,   sigma = u^T W v
        u <- W v / ||W v||_2,   v <- W^T u / ||W^T u||_2      once in every training pass

    Miyato et al. 2018, arXiv:1802.05957, eq. 8 and algorithm 1, in the order and with the names of
    `torch.nn.utils.parametrizations.spectral_norm`. A convolution kernel is reshaped to the matrix
    (out, all other axes). The gradient treats u and v as constants, but not sigma.

    u and v are buffers of each member. A pass stores the new u and v in its updates, and the caller
    decides whether to apply them. The trainer applies them in the discriminator step only. In
    penalties and in the generator step, one iteration starts from the stored vectors, so that sigma
    belongs to the current weights, and the result is discarded. torch's module applies it in every
    pass. Evaluation passes do not iterate. If batch norm requires separate passes of real and
    generated samples, both passes iterate. v is initialised with equal entries, followed by 15
    iterations with the initial weights.

    Args:
        layer: a linear layer, a convolution or an embedding of labels.
    """

    def __init__(self, layer: Linear | Conv2d | Embedding) -> None:
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
        """Return the output of the layer with the normalised weight."""
        return self.layer.forward(self._normalised(params, state), x, state)

    def linearised(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> tuple[Tensor, PullBack]:
        """Return y and the function from dL/dy to dL/dx; both use the same normalised weight."""
        return self.layer.linearised(self._normalised(params, state), x, state)

    def pull_back(self, params: Sequence[Tensor], x: Tensor, grad_output: Tensor, state: Pass) -> Tensor:
        """Return dL/dx of the layer with the normalised weight."""
        return self.layer.pull_back(self._normalised(params, state), x, grad_output, state)

    def begin(self, params: Sequence[Tensor], buffers: dict[str, Tensor]) -> None:
        """Run 15 power iterations with the initial weights, in place."""
        u, v = (buffers[slot.name] for slot in self.buffers)
        with torch.no_grad():
            for _ in range(FIRST_ITERATIONS):
                for buffer, value in zip((u, v), _iterated(params[0].flatten(2), v), strict=True):
                    buffer.copy_(value)

    def counterpart(self) -> nn.Module:
        """Return the layer's module with `torch.nn.utils.parametrizations.spectral_norm`."""
        return parametrizations.spectral_norm(self.layer.counterpart())

    def plain(self, x: Any, build: Builder) -> Any:
        """Add the layer's module, parametrized."""
        return build.call(self.counterpart(), x, self.layer.slots[0].name.rpartition(".")[0])

    def _normalised(self, params: Sequence[Tensor], state: Pass) -> list[Tensor]:
        weight, matrix = params[0], params[0].flatten(2)
        u, v = (state.buffers[slot.name] for slot in self.buffers)
        if state.training:
            with torch.no_grad():
                u, v = _iterated(matrix.detach(), v)
                state.updates |= {slot.name: value for slot, value in zip(self.buffers, (u, v), strict=True)}
        sigma = (u * (matrix * v[:, None]).sum(2)).sum(1)
        # Expand over the rows first: the backward pass then sums within each row before it sums over rows.
        # A single sum would be a full reduction at K = 1, which torch splits among threads.
        rows = sigma[:, None].expand(-1, matrix.shape[1]).reshape(*matrix.shape[:2], *(1,) * (weight.ndim - 2))
        normalised = weight / rows
        if not torch.compiler.is_compiling():  # the compiler chooses the memory layout of gradients itself
            normalised = _InOrder.apply(normalised)
        return [normalised, *params[1:]]


def spectrally_normalised(layers: Sequence[Layer]) -> list[Layer]:
    """Return layers in which every linear layer, convolution and embedding is spectrally normalised."""
    return [_wrapped(layer) for layer in layers]


def _wrapped(layer: Layer) -> Layer:
    if isinstance(layer, (Linear, Conv2d, Embedding)):
        return SpectralNorm(layer)
    if isinstance(layer, Residual):
        return Residual(spectrally_normalised(layer.body), spectrally_normalised(layer.shortcut), layer.factor)
    if isinstance(layer, Projection):
        return Projection(spectrally_normalised(layer.head), _wrapped(layer.embedding))
    return layer


class _InOrder(torch.autograd.Function):
    """Identity whose gradient is contiguous in memory.

    The gradient of a convolution has the memory layout of its kernel for a single member and is
    contiguous for several. Without this, the order of summation in the gradient of sigma would
    differ between the two.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0].contiguous()


def _iterated(matrix: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """Return u (K, h) and v (K, w) after one power iteration with matrices (K, h, w).

    It uses sums of products, because the rounding of matrix products depends on the memory
    alignment of a member.
    """
    u = _unit((matrix * v[:, None]).sum(2))
    return u, _unit((matrix * u[:, :, None]).sum(1))


def _unit(vectors: Tensor) -> Tensor:
    """Normalise vectors (K, n); partial sums keep torch from splitting a sum among threads."""
    squares = vectors.square()
    whole = len(vectors[0]) // PARTS * PARTS
    sums = torch.cat([squares[:, :whole].unflatten(1, (PARTS, -1)).sum(2), squares[:, whole:]], 1)
    return vectors / sums.sum(1, keepdim=True).sqrt().clamp(min=EPS)
