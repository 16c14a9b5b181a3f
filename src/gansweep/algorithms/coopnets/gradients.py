"""What CoopNets' players make of their gradients, parameter by parameter."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from gansweep.layers import Network, Pass, chain


def capped(gradient: Tensor, cap: float | None) -> Tensor:
    """Scale every member's gradient (K, ...) of a parameter down to a largest entry of `cap`.

    >>> capped(torch.tensor([[16.0, -4.0], [4.0, 1.0]]), 8.0)
    tensor([[ 8., -2.],
            [ 4.,  1.]])
    """
    if cap is None:
        return gradient
    largest = gradient.flatten(1).abs().amax(1)
    factor = torch.where(largest > cap, cap / largest, 1.0)
    return gradient * factor.view(-1, *[1] * (gradient.ndim - 1))


def areas(network: Network, params: Sequence[Tensor], x: Tensor) -> list[int]:
    """Count for every parameter of a network the pixels that its layer puts out for x (1, 1, ...)."""
    found, state = [], Pass(buffers=network.initial_buffers(1, x.device), training=False)
    for layer, own, inner in chain.shares(network.layers, params, state):
        x = layer.forward(own, x, inner)
        found += [math.prod(x.shape[3:])] * len(own)
    return found
