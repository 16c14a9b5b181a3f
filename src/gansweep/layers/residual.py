"""Two ways from input to output, added."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gansweep.layers import chain
from gansweep.layers.layer import Layer, Parameterless, Pass, PullBack


class Residual(Parameterless):
    """y = shortcut(x) + factor * body(x), both of them layers one after another.

    He et al. 2016, arXiv:1512.03385, eq. 1 and 2. Parameters, buffers and draws are the body's
    and then the shortcut's.

    Args:
        body: the layers of the residual.
        shortcut: the layers beside them; none for x itself.
        factor: of the body, 0.1 in the networks of Mescheder et al. 2018.
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
        """Map (K, B, ...) by both ways."""
        (inner, in_body), (outer, beside) = self._split(params, state)
        residual = chain.forward(self.body, inner, x, in_body)
        return chain.forward(self.shortcut, outer, x, beside) + self.factor * residual

    def linearised(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> tuple[Tensor, PullBack]:
        """Keep the inputs of the layers inside."""
        (inner, in_body), (outer, beside) = self._split(params, state)
        residual, through_body = chain.linearised(self.body, inner, x, in_body)
        y, through_shortcut = chain.linearised(self.shortcut, outer, x, beside)
        with torch.no_grad():
            y = y + self.factor * residual
        return y, lambda slope: through_shortcut(slope) + self.factor * through_body(slope)

    def pull_back(self, params: Sequence[Tensor], x: Tensor, slope: Tensor, state: Pass) -> Tensor:
        """Add what comes back by both ways."""
        return self.linearised(params, x, state)[1](slope)

    def begin(self, params: Sequence[Tensor], buffers: dict[str, Tensor]) -> None:
        """Hand it to the layers inside."""
        chain.begin((*self.body, *self.shortcut), params, buffers)

    def _split(self, params: Sequence[Tensor], state: Pass) -> list[tuple[Sequence[Tensor], Pass]]:
        """Divide parameters and masks between body and shortcut."""
        slots, draws = self._num_slots, self._num_draws
        shared = state.buffers, state.training, state.updates
        return [
            (params[:slots], Pass(state.masks[:draws], *shared)),
            (params[slots:], Pass(state.masks[draws:], *shared)),
        ]
