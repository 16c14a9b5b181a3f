"""Sequential application of layers, for `Network` and for composite layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import Tensor

from gansweep.layers.layer import Layer, Pass, PullBack


def forward(layers: Sequence[Layer], params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
    """Return the output of the last layer for x (K, B, ...)."""
    for layer, layer_params, layer_state in shares(layers, params, state):
        x = layer.forward(layer_params, x, layer_state)
    return x


def linearised(layers: Sequence[Layer], params: Sequence[Tensor], x: Tensor, state: Pass) -> tuple[Tensor, PullBack]:
    """Run the forward pass of piecewise linear layers without autograd.

    Returns:
        The output for x (K, B, ...), and the function that maps dL/dy to dL/dx.
    """
    pull_backs = []
    for layer, layer_params, layer_state in shares(layers, params, state):
        x, pull_back = layer.linearised(layer_params, x, layer_state)
        pull_backs.append(pull_back)

    def composed(grad: Tensor) -> Tensor:
        for pull_back in reversed(pull_backs):
            grad = pull_back(grad)
        return grad

    return x, composed


def begin(layers: Sequence[Layer], params: Sequence[Tensor], buffers: dict[str, Tensor]) -> None:
    """Initialise the buffers that depend on the initial parameters, in place.

    Args:
        layers: the layers in forward order.
        params: the parameters of all slots, each (K, *shape).
        buffers: the buffers by name, each (K, *shape).
    """
    for layer, layer_params, layer_state in shares(layers, params, Pass(buffers=buffers)):
        layer.begin(layer_params, layer_state.buffers)


def shares(
    layers: Sequence[Layer], params: Sequence[Tensor], state: Pass
) -> Iterator[tuple[Layer, Sequence[Tensor], Pass]]:
    """Yield every layer with its part of the parameters and of the masks."""
    slot, draw = 0, 0
    for layer in layers:
        layer_params = params[slot : slot + len(layer.slots)]
        masks = state.masks[draw : draw + len(layer.draws)]
        yield layer, layer_params, Pass(masks, state.buffers, state.training, state.updates)
        slot, draw = slot + len(layer.slots), draw + len(layer.draws)
