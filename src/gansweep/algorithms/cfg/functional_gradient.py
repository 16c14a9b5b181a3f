"""Functional gradient steps of one stage, stored so that they can be applied to new samples."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gansweep.batched.player import Player
from gansweep.layers import Network, Pass
from gansweep.layers.layer import per_member
from gansweep.layers.network import Params


def functional_gradient_step(network: Network, params: Params, x: Tensor, eta: Tensor, state: Pass) -> Tensor:
    """Functional gradient step on samples (K, B, ...): return x + eta dD/dx (x), with `eta` (K, 1).

    Johnson and Zhang 2018, arXiv:1801.06309, algorithm 1, with s(x) = 1 as in all their experiments. `state`
    selects training or evaluation mode of D; the paper uses training mode. The gradient is that of the sum over
    the batch. With batch norm, the step of one sample therefore depends on the other samples.
    """
    with torch.no_grad():
        input_gradient = network.input_gradient(params, x, state)
    return x + per_member(eta, x) * input_gradient


class FunctionalGradientSteps:
    """Functional gradient steps of every member: its discriminators D_1 ... D_T at the time of each step.

        G_t(z) = G_{t-1}(z) + eta dD_t/dx (G_{t-1}(z))

    G_t is not a network. It is the generator at the start of the stage followed by t of these steps.

    Args:
        d: the discriminators that are trained.
        count: T.
    """

    def __init__(self, d: Player, count: int) -> None:
        self.d, self.stored = d, [Snapshot(d) for _ in range(count)]
        self.eta = torch.zeros_like(d.rates.now)  # (K, 1), step size of this stage

    def store(self, t: int) -> None:
        """Store the current discriminators as D_{t+1}."""
        self.stored[t].take()

    def __call__(self, x: Tensor, first: int, last: int) -> Tensor:
        """Apply the steps of D_{first+1} ... D_last to samples (K, B, ...), and update their running statistics."""
        for stored in self.stored[first:last]:
            params, buffers = stored.of()
            state = Pass((), buffers)
            x = functional_gradient_step(self.d.network, params, x, self.eta, state)
            stored.keep_buffers(state.updates)
        return x

    def of(self, row: int, x: Tensor) -> Tensor:
        """Apply all steps of one member to samples (1, B, ...), without a change of running statistics."""
        rows = slice(row, row + 1)
        for stored in self.stored:
            params, buffers = stored.of(rows)
            x = functional_gradient_step(self.d.network, params, x, self.eta[rows], Pass((), buffers))
        return x

    def export(self, row: int) -> dict[str, Any]:
        """Return copies of a member's discriminators (T, ...), and its eta."""
        snapshots = [stored.export(row) for stored in self.stored]
        return {
            "eta": self.eta[row].clone(),
            "theta": torch.stack([snapshot["theta"] for snapshot in snapshots]),
            "buffers": {
                name: torch.stack([snapshot["buffers"][name] for snapshot in snapshots]) for name in self.d.buffers
            },
        }

    def restore(self, row: int, saved: dict[str, Any]) -> None:
        """Restore a member from an exported state."""
        self.eta[row].copy_(saved["eta"])
        for t, stored in enumerate(self.stored):
            buffers = {name: values[t] for name, values in saved["buffers"].items()}
            stored.restore(row, {"theta": saved["theta"][t], "buffers": buffers})


class Snapshot:
    """Copy of the parameters and running statistics of all members of a player.

    Args:
        player: the player to copy, at construction and at every call of `take`.
    """

    def __init__(self, player: Player) -> None:
        self.player = player
        self.chunks = [theta.clone() for theta in player.chunks]
        self.buffers = {name: buffer.clone() for name, buffer in player.buffers.items()}

    def take(self) -> None:
        """Copy the current parameters and running statistics of the player."""
        for kept, theta in zip(self.chunks, self.player.chunks, strict=True):
            kept.copy_(theta)
        self.keep_buffers(self.player.buffers)

    def keep_buffers(self, new: dict[str, Tensor]) -> None:
        """Store the running statistics that a forward pass updated."""
        for name, value in new.items():
            self.buffers[name].copy_(value)

    def of(self, rows: slice = slice(None)) -> tuple[list[Tensor], dict[str, Tensor]]:
        """Return the slots' views and the buffers of `rows`. Default: all rows."""
        params = self.player.params([theta[rows] for theta in self.chunks])
        return params, {name: buffer[rows] for name, buffer in self.buffers.items()}

    def export(self, row: int) -> dict[str, Any]:
        """Return copies of a member's parameters (P,) and buffers."""
        buffers = {name: buffer[row].clone() for name, buffer in self.buffers.items()}
        return {"theta": torch.cat([theta[row] for theta in self.chunks]), "buffers": buffers}

    def restore(self, row: int, saved: dict[str, Any]) -> None:
        """Restore a member from an exported state."""
        for kept, value in zip(self.chunks, self.player.in_chunks(saved["theta"]), strict=True):
            kept[row].copy_(value)
        for name, value in saved["buffers"].items():
            self.buffers[name][row].copy_(value)
