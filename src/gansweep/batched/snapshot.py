"""A player as it was."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gansweep.batched.player import Player


class Snapshot:
    """Parameters and running statistics of a player's members at the moment when it was taken.

    Args:
        player: who is taken, at once and whenever `take` is called.
    """

    def __init__(self, player: Player) -> None:
        self.player = player
        self.stretches = [theta.clone() for theta in player.stretches]
        self.buffers = {name: buffer.clone() for name, buffer in player.buffers.items()}

    def take(self) -> None:
        """Take the player as it is now."""
        for kept, theta in zip(self.stretches, self.player.stretches, strict=True):
            kept.copy_(theta)
        self.keep_buffers(self.player.buffers)

    def keep_buffers(self, new: dict[str, Tensor]) -> None:
        """Take over the running statistics that a pass left."""
        for name, value in new.items():
            self.buffers[name].copy_(value)

    def of(self, rows: slice = slice(None)) -> tuple[list[Tensor], dict[str, Tensor]]:
        """Return the slots' views and the buffers of some rows, by themselves of all."""
        params = self.player.params([theta[rows] for theta in self.stretches])
        return params, {name: buffer[rows] for name, buffer in self.buffers.items()}

    def export(self, row: int) -> dict[str, Any]:
        """Return copies of a member's parameters, in one row (P,), and of its buffers."""
        buffers = {name: buffer[row].clone() for name, buffer in self.buffers.items()}
        return {"theta": torch.cat([theta[row] for theta in self.stretches]), "buffers": buffers}

    def restore(self, row: int, saved: dict[str, Any]) -> None:
        """Put what was exported in place."""
        for kept, value in zip(self.stretches, self.player.in_stretches(saved["theta"]), strict=True):
            kept[row].copy_(value)
        for name, value in saved["buffers"].items():
            self.buffers[name][row].copy_(value)
