"""Functional gradient steps of one stage, stored so that they can be applied to new samples, also by a torch module."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

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
        return {"theta": self.player.row(row, self.chunks), "buffers": buffers}

    def restore(self, row: int, saved: dict[str, Any]) -> None:
        """Restore a member from an exported state."""
        for kept, value in zip(self.chunks, self.player.in_chunks(saved["theta"]), strict=True):
            kept[row].copy_(value)
        for name, value in saved["buffers"].items():
            self.buffers[name][row].copy_(value)


class CompositeGenerator(nn.Module):
    """Generator G_T of the last stage: its approximator, followed by its functional gradient steps.

        G_t(z) = G_{t-1}(z) + eta dD_t/dx (G_{t-1}(z)),   t = 1 ... T,   G_0 = G~

    Images are clipped to [-1, 1]. The discriminators are in training mode, without a change of their running
    statistics, as in evaluations.

    Args:
        start: G~ at the start of the stage, which maps z (N, latent_dim) to samples.
        discriminator: network of the D_t.
        steps: state of the steps, as `FunctionalGradientSteps.export` returns it.
        batch_size: of the training; D with batch norm gets batches of this size.
    """

    def __init__(self, start: nn.Module, discriminator: Network, steps: Mapping[str, Any], batch_size: int) -> None:
        super().__init__()
        self.start, self.network, self.batch_size = start, discriminator, batch_size
        self.register_buffer("eta", steps["eta"])
        self.register_buffer("theta", steps["theta"])
        self._names = {name: f"buffer_{n}" for n, name in enumerate(steps["buffers"])}  # a name must not have dots
        for name, value in steps["buffers"].items():
            self.register_buffer(self._names[name], value)

    def forward(self, z: Tensor) -> Tensor:
        """Return samples G_T(z) (N, ...)."""
        x = self.start(z)
        parts = x.split(self.batch_size) if self.network.couples_samples else [x]
        x = torch.cat([self._stepped(part[None])[0] for part in parts])
        return x.clamp(-1, 1) if x.ndim == 4 else x

    def _stepped(self, x: Tensor) -> Tensor:
        """Return samples (1, B, ...) after all steps."""
        for t, theta in enumerate(self.get_buffer("theta")):
            buffers = {name: self.get_buffer(own)[t][None] for name, own in self._names.items()}
            params = self.network.cut(theta[None])
            x = functional_gradient_step(self.network, params, x, self.get_buffer("eta")[None], Pass((), buffers))
        return x
