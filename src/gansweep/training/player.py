"""One network of every member, with the state that moves it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gansweep.interfaces import UpdateRule
from gansweep.layers import Network
from gansweep.training.member import PlayerSettings, runs

# parameters -> (sum of the members' losses, what to keep of the pass)
Losses = Callable[[Sequence[Tensor]], tuple[Tensor, Any]]

IN_CACHE = 1 << 18  # entries of a row that an update rule is given at once


class Group(NamedTuple):
    """Neighbouring members that share an update rule, and its state for them."""

    rule: UpdateRule
    rows: slice
    state: dict[str, Tensor]


class Player:
    """Parameters and optimizer state of K members as matrices with one row per member.

    Args:
        network: what the rows are parameters of.
        settings: one per member.
        generators: one per member, for the first parameters.
    """

    def __init__(
        self,
        network: Network,
        settings: Sequence[PlayerSettings],
        generators: Sequence[torch.Generator],
    ) -> None:
        self.network, self.settings = network, tuple(settings)
        self.theta = torch.stack([network.initial(generator) for generator in generators])
        device = self.theta.device
        self.buffers = network.initial_buffers(len(settings), device)
        precise = torch.float32 if device.type == "mps" else torch.float64  # MPS has nothing finer
        self.updates = torch.zeros(len(settings), 1, dtype=precise, device=device)
        self.lr = torch.zeros(len(settings), 1, device=device)
        self.groups = [
            Group(rule, rows, rule.state(network.slots, self.theta[rows]))
            for rule, rows in runs(player.rule for player in settings)
        ]
        self.stretches = _stretches(network)

    def set_rates(self, done: Sequence[int], total: Sequence[int]) -> None:
        """Take every member's rate from its schedule, after `done` of `total` generator steps."""
        rates = [[player.rate(*at)] for player, at in zip(self.settings, zip(done, total, strict=True), strict=True)]
        self.lr.copy_(torch.tensor(rates, dtype=self.lr.dtype))

    def descend(self, losses: Losses) -> tuple[Any, Tensor]:
        """Move every member down its own loss by its own rule.

        The members' losses are summed; since none depends on another's parameters, the
        gradient of the sum is every member's own.

        Returns what `losses` kept, and the gradients' norms (K,).
        """
        if torch.compiler.is_compiling():
            return self._descend_in_one_graph(losses)
        slots = [p.detach().requires_grad_() for p in self.network.cut(self.theta)]
        with torch.enable_grad():
            total, kept = losses(slots)
            gradients = torch.autograd.grad(total, slots)
        flat = [gradient.flatten(1) for gradient in gradients]
        self.updates += 1
        for group in self.groups:
            rows, network = group.rows, self.network
            if group.rule.elementwise:
                for own, columns in self.stretches:
                    gradient = _side_by_side([g[rows] for g in flat[own]])
                    for part, at in zip(gradient.split(IN_CACHE, 1), _parts(columns), strict=True):
                        state = {name: value[:, at] for name, value in group.state.items()}
                        group.rule.update(
                            network.slots[own], self.theta[rows, at], part, state, self.lr[rows], self.updates[rows]
                        )
            else:
                gradient = _side_by_side([g[rows] for g in flat])
                group.rule.update(
                    network.slots, self.theta[rows], gradient, group.state, self.lr[rows], self.updates[rows]
                )
        norms = torch.stack([torch.linalg.vector_norm(g, dim=1) for g in flat], 1)
        return kept, torch.linalg.vector_norm(norms, dim=1)

    def _descend_in_one_graph(self, losses: Losses) -> tuple[Any, Tensor]:
        """Do the same where torch.compile sees losses, gradient and update as one graph.

        Rows are updated whole: inside a graph, writing to a part of a matrix copies all of it.
        """
        gradient, kept = torch.func.grad(lambda theta: losses(self.network.cut(theta)), has_aux=True)(self.theta)
        self.updates.add_(1)
        moved = []
        for group in self.groups:
            rows = self.theta[group.rows].clone()
            group.rule.update(
                self.network.slots,
                rows,
                gradient[group.rows],
                group.state,
                self.lr[group.rows],
                self.updates[group.rows],
            )
            moved.append(rows)
        self.theta.copy_(moved[0] if len(moved) == 1 else torch.cat(moved))
        return kept, torch.linalg.vector_norm(gradient, dim=1)

    def keep_buffers(self, new: dict[str, Tensor]) -> None:
        """Take over the running statistics that a pass left."""
        for name, value in new.items():
            self.buffers[name].copy_(value)

    def export(self, k: int) -> dict[str, Any]:
        """Return copies of all that member k of this player is."""
        group, row = self._group_of(k)
        return {
            "theta": self.theta[k].clone(),
            "buffers": {name: buffer[k].clone() for name, buffer in self.buffers.items()},
            "updates": self.updates[k].clone(),
            "state": {name: value[row].clone() for name, value in group.state.items()},
        }

    def restore(self, k: int, saved: dict[str, Any]) -> None:
        """Put an exported member in place k."""
        group, row = self._group_of(k)
        self.theta[k].copy_(saved["theta"])
        self.updates[k].copy_(saved["updates"])
        for name, value in saved["buffers"].items():
            self.buffers[name][k].copy_(value)
        for name, value in saved["state"].items():
            group.state[name][row].copy_(value)

    def _group_of(self, k: int) -> tuple[Group, int]:
        group = next(group for group in self.groups if group.rows.start <= k < group.rows.stop)
        return group, k - group.rows.start


def _side_by_side(parts: Sequence[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(list(parts), 1)


def _parts(columns: slice) -> list[slice]:
    """Cut columns into parts that fit the cache."""
    starts = range(columns.start, columns.stop, IN_CACHE)
    return [slice(start, min(start + IN_CACHE, columns.stop)) for start in starts]


def _stretches(network: Network) -> list[tuple[slice, slice]]:
    """Divide the row at slots' borders, as (slots, columns): large slots alone, small neighbours together.

    A large slot is updated straight from its gradient; only small gradients are copied
    together first, which spares calls.
    """
    found: list[tuple[slice, slice]] = []
    first, size, column = 0, 0, 0
    for n, count in enumerate(network.sizes):
        if n > first and size + count > IN_CACHE:
            found.append((slice(first, n), slice(column, column + size)))
            first, size, column = n, 0, column + size
        size += count
    found.append((slice(first, len(network.sizes)), slice(column, column + size)))
    return found
