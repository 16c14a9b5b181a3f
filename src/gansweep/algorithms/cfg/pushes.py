"""Samples on their way uphill: the pushes of one stage, kept to be repeated."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gansweep.batched.player import Player
from gansweep.batched.snapshot import Snapshot
from gansweep.layers import Network, Pass
from gansweep.layers.network import Params
from gansweep.layers.per_member import per_member


def push(network: Network, params: Params, x: Tensor, eta: Tensor, state: Pass) -> Tensor:
    """Move samples (K, B, ...) uphill: x + eta dD/dx (x), `eta` (K, 1).

    Johnson and Zhang 2018, arXiv:1801.06309, algorithm 1, with s(x) = 1 as in all their experiments. D is
    evaluated as `state` says; theirs is in training mode. The slope is that of the sum over the batch, so where
    samples are coupled by batch norm one sample's push depends on the others.
    """
    with torch.no_grad():
        slope = network.input_gradient(params, x, state)
    return x + per_member(eta, x) * slope


class Pushes:
    """The discriminators D_1 ... D_T of every member, as they were when its samples were pushed by them.

        G_t(z) = G_{t-1}(z) + eta dD_t/dx (G_{t-1}(z))

    G_t is no network: it is the first generator of a stage followed by t of these.

    Args:
        d: the discriminators that learn.
        count: T.
    """

    def __init__(self, d: Player, count: int) -> None:
        self.d, self.stored = d, [Snapshot(d) for _ in range(count)]
        self.eta = torch.zeros_like(d.rates.now)  # (K, 1), of this stage

    def store(self, t: int) -> None:
        """Keep the discriminators as D_{t+1}."""
        self.stored[t].take()

    def __call__(self, x: Tensor, first: int, last: int) -> Tensor:
        """Push samples (K, B, ...) by D_{first+1} ... D_last, whose running statistics take part."""
        for stored in self.stored[first:last]:
            params, buffers = stored.of()
            state = Pass((), buffers)
            x = push(self.d.network, params, x, self.eta, state)
            stored.keep_buffers(state.updates)
        return x

    def of(self, row: int, x: Tensor) -> Tensor:
        """Push samples (1, B, ...) of one member by all of its own; nothing else changes."""
        own = slice(row, row + 1)
        for stored in self.stored:
            params, buffers = stored.of(own)
            x = push(self.d.network, params, x, self.eta[own], Pass((), buffers))
        return x

    def export(self, row: int) -> dict[str, Any]:
        """Return copies of a member's discriminators (T, ...), and its eta."""
        each = [stored.export(row) for stored in self.stored]
        return {
            "eta": self.eta[row].clone(),
            "theta": torch.stack([one["theta"] for one in each]),
            "buffers": {name: torch.stack([one["buffers"][name] for one in each]) for name in self.d.buffers},
        }

    def restore(self, row: int, saved: dict[str, Any]) -> None:
        """Put what was exported in place."""
        self.eta[row].copy_(saved["eta"])
        for t, stored in enumerate(self.stored):
            buffers = {name: values[t] for name, values in saved["buffers"].items()}
            stored.restore(row, {"theta": saved["theta"][t], "buffers": buffers})
