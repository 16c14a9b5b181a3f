"""Snapshot of a player's parameters and running statistics."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gansweep.batched.player import Player


class Snapshot:
    """Copy of the parameters and running statistics of all members of a player.

    Args:
        player: the player to copy, at construction and at every call of `take`.
    """

    def __init__(self, player: Player) -> None:
        self.player = player
        self.stretches = [theta.clone() for theta in player.stretches]
        self.buffers = {name: buffer.clone() for name, buffer in player.buffers.items()}

    def take(self) -> None:
        """Copy the current parameters and running statistics of the player."""
        for kept, theta in zip(self.stretches, self.player.stretches, strict=True):
            kept.copy_(theta)
        self.keep_buffers(self.player.buffers)

    def keep_buffers(self, new: dict[str, Tensor]) -> None:
        """Store the running statistics that a forward pass updated."""
        for name, value in new.items():
            self.buffers[name].copy_(value)

    def of(self, rows: slice = slice(None)) -> tuple[list[Tensor], dict[str, Tensor]]:
        """Return the slots' views and the buffers of `rows`. Default: all rows."""
        params = self.player.params([theta[rows] for theta in self.stretches])
        return params, {name: buffer[rows] for name, buffer in self.buffers.items()}

    def export(self, row: int) -> dict[str, Any]:
        """Return copies of a member's parameters (P,) and buffers."""
        buffers = {name: buffer[row].clone() for name, buffer in self.buffers.items()}
        return {"theta": torch.cat([theta[row] for theta in self.stretches]), "buffers": buffers}

    def restore(self, row: int, saved: dict[str, Any]) -> None:
        """Restore a member from an exported state."""
        for kept, value in zip(self.stretches, self.player.in_stretches(saved["theta"]), strict=True):
            kept[row].copy_(value)
        for name, value in saved["buffers"].items():
            self.buffers[name][row].copy_(value)
