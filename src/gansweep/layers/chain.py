"""Layers one after another: what a network is, and what a layer may be made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import Tensor

from gansweep.layers.layer import Layer, Pass, PullBack


def forward(layers: Sequence[Layer], params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
    """Map (K, B, ...) through all layers."""
    for layer, own, inner in shares(layers, params, state):
        x = layer.forward(own, x, inner)
    return x


def linearised(layers: Sequence[Layer], params: Sequence[Tensor], x: Tensor, state: Pass) -> tuple[Tensor, PullBack]:
    """Map (K, B, ...) through piecewise linear layers, without a gradient, and return the way back."""
    ways = []
    for layer, own, inner in shares(layers, params, state):
        x, way = layer.linearised(own, x, inner)
        ways.append(way)

    def back(slope: Tensor) -> Tensor:
        for way in reversed(ways):
            slope = way(slope)
        return slope

    return x, back


def begin(layers: Sequence[Layer], params: Sequence[Tensor], buffers: dict[str, Tensor]) -> None:
    """Bring fresh buffers into line with the first parameters, in place.

    Args:
        layers: in their order.
        params: of all slots, each (K, *shape).
        buffers: by name, each (K, *shape).
    """
    for layer, own, inner in shares(layers, params, Pass(buffers=buffers)):
        layer.begin(own, inner.buffers)


def shares(
    layers: Sequence[Layer], params: Sequence[Tensor], state: Pass
) -> Iterator[tuple[Layer, Sequence[Tensor], Pass]]:
    """Hand every layer its own parameters and masks."""
    at, mask = 0, 0
    for layer in layers:
        own = params[at : at + len(layer.slots)]
        masks = state.masks[mask : mask + len(layer.draws)]
        yield layer, own, Pass(masks, state.buffers, state.training, state.updates)
        at, mask = at + len(layer.slots), mask + len(layer.draws)
