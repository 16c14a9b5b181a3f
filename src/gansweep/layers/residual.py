"""Residual connection."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gansweep.layers import chain
from gansweep.layers.layer import Layer, Parameterless, Pass, PullBack


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
        residual = chain.forward(self.body, body_params, x, body_state)
        return chain.forward(self.shortcut, shortcut_params, x, shortcut_state) + self.factor * residual

    def linearised(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> tuple[Tensor, PullBack]:
        """Return y and the function from dL/dy to dL/dx; the inputs of all inner layers are stored."""
        (body_params, body_state), (shortcut_params, shortcut_state) = self._split(params, state)
        residual, body_pull_back = chain.linearised(self.body, body_params, x, body_state)
        y, shortcut_pull_back = chain.linearised(self.shortcut, shortcut_params, x, shortcut_state)
        with torch.no_grad():
            y = y + self.factor * residual
        return y, lambda grad: shortcut_pull_back(grad) + self.factor * body_pull_back(grad)

    def pull_back(self, params: Sequence[Tensor], x: Tensor, grad_output: Tensor, state: Pass) -> Tensor:
        """Return dL/dx, the sum of the gradients through both branches."""
        return self.linearised(params, x, state)[1](grad_output)

    def begin(self, params: Sequence[Tensor], buffers: dict[str, Tensor]) -> None:
        """Initialise the buffers of the inner layers, in place."""
        chain.begin((*self.body, *self.shortcut), params, buffers)

    def _split(self, params: Sequence[Tensor], state: Pass) -> list[tuple[Sequence[Tensor], Pass]]:
        """Split parameters and masks into those of the body and those of the shortcut."""
        slots, draws = self._num_slots, self._num_draws
        shared = state.buffers, state.training, state.updates
        return [
            (params[:slots], Pass(state.masks[:draws], *shared)),
            (params[slots:], Pass(state.masks[draws:], *shared)),
        ]
