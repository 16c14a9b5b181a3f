"""Composition of layers: sequential application, and the residual block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gansweep.layers.layer import Layer, Parameterless, Pass, PullBack

if TYPE_CHECKING:
    from gansweep.layers.plain import Builder


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


def plain(layers: Sequence[Layer], x: Any, build: Builder) -> Any:
    """Add layers to a module of `torch.nn` that is being built; x and the return value stand for samples (B, ...).

    Raises:
        NotImplementedError: a layer of a user's class cannot be converted.
    """
    for layer in layers:
        add = getattr(layer, "plain", None)
        if add is None:
            raise NotImplementedError(f"{type(layer).__name__} has no method `plain`")
        x = add(x, build)
    return x


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
        layer_params, layer_state = params[slot : slot + len(layer.slots)], state
        if state.masks:
            layer_state = state.with_masks(state.masks[draw : draw + len(layer.draws)])
        yield layer, layer_params, layer_state
        slot, draw = slot + len(layer.slots), draw + len(layer.draws)


class Residual(Parameterless):
    """Residual block: y = shortcut(x) + factor * body(x).

    He et al. 2016, arXiv:1512.03385, eq. 1 and 2. Parameters, buffers and draws are those of the body
    followed by those of the shortcut.

    Args:
        body: the layers of the residual branch.
        shortcut: the layers of the shortcut; empty for the identity.
        factor: scale of the residual branch; 0.1 in the networks of Mescheder et al. 2018.
    """

    def __init__(self, body: Sequence[Layer], shortcut: Sequence[Layer] = (), factor: float = 1.0) -> None:
        self.body, self.shortcut, self.factor = tuple(body), tuple(shortcut), factor
        layers = (*self.body, *self.shortcut)
        self.slots = tuple(slot for layer in layers for slot in layer.slots)
        self.buffers = tuple(slot for layer in layers for slot in layer.buffers)
        self.draws = tuple(draw for layer in layers for draw in layer.draws)
        self.couples_samples = any(layer.couples_samples for layer in layers)
        self.piecewise_linear = all(layer.piecewise_linear for layer in layers)
        self._num_slots = sum(len(layer.slots) for layer in self.body)
        self._num_draws = sum(len(layer.draws) for layer in self.body)

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Return the sum of both branches for x (K, B, ...)."""
        (body_params, body_state), (shortcut_params, shortcut_state) = self._split(params, state)
        residual = forward(self.body, body_params, x, body_state)
        return forward(self.shortcut, shortcut_params, x, shortcut_state) + self.factor * residual

    def linearised(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> tuple[Tensor, PullBack]:
        """Return y and the function from dL/dy to dL/dx; the inputs of all inner layers are stored."""
        (body_params, body_state), (shortcut_params, shortcut_state) = self._split(params, state)
        residual, body_pull_back = linearised(self.body, body_params, x, body_state)
        y, shortcut_pull_back = linearised(self.shortcut, shortcut_params, x, shortcut_state)
        with torch.no_grad():
            y = y + self.factor * residual
        return y, lambda grad: shortcut_pull_back(grad) + self.factor * body_pull_back(grad)

    def pull_back(self, params: Sequence[Tensor], x: Tensor, grad_output: Tensor, state: Pass) -> Tensor:
        """Return dL/dx, the sum of the gradients through both branches."""
        return self.linearised(params, x, state)[1](grad_output)

    def plain(self, x: Any, build: Builder) -> Any:
        """Add both branches and their sum."""
        residual = plain(self.body, x, build)
        shortcut = plain(self.shortcut, x, build)
        return shortcut + (residual if self.factor == 1 else residual * self.factor)

    def begin(self, params: Sequence[Tensor], buffers: dict[str, Tensor]) -> None:
        """Initialise the buffers of the inner layers, in place."""
        begin((*self.body, *self.shortcut), params, buffers)

    def _split(self, params: Sequence[Tensor], state: Pass) -> list[tuple[Sequence[Tensor], Pass]]:
        """Split parameters and masks into those of the body and those of the shortcut."""
        slots, draws = self._num_slots, self._num_draws
        return [
            (params[:slots], state.with_masks(state.masks[:draws])),
            (params[slots:], state.with_masks(state.masks[draws:])),
        ]
