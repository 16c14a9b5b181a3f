"""Gradient transformations of CoopNets, per parameter tensor."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from gansweep.layers import Network, Pass, chain
from gansweep.layers.layer import per_member


def capped(gradient: Tensor, cap: float | None) -> Tensor:
    """Return the gradient (K, ...) of a parameter, scaled per member so that no entry exceeds `cap` in magnitude.

    >>> capped(torch.tensor([[16.0, -4.0], [4.0, 1.0]]), 8.0)
    tensor([[ 8., -2.],
            [ 4.,  1.]])
    """
    if cap is None:
        return gradient
    largest = gradient.flatten(1).abs().amax(1)
    factor = torch.where(largest > cap, cap / largest, 1.0)
    return gradient * per_member(factor, gradient)


def areas(network: Network, params: Sequence[Tensor], x: Tensor) -> list[int]:
    """Return, for every parameter of a network, the number of output pixels of its layer for input x (1, 1, ...)."""
    counts, state = [], Pass(buffers=network.initial_buffers(1, x.device), training=False)
    for layer, layer_params, inner in chain.shares(network.layers, params, state):
        x = layer.forward(layer_params, x, inner)
        counts += [math.prod(x.shape[3:])] * len(layer_params)
    return counts
