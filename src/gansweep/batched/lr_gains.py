"""What the members' feedbacks make of their rates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gansweep.batched.member import runs
from gansweep.device import finest
from gansweep.interfaces import Feedback


class Group(NamedTuple):
    """Neighbouring members with equal feedback, and its state for them."""

    feedback: Feedback
    rows: slice
    state: dict[str, Tensor]


class Gains:
    """One gain for each member, `now` (K, 1), which stays 1 for those without feedback.

    `now` is always the same tensor, which a compiled graph may hold.

    Args:
        feedbacks: one per member, fitted to its game; None for none.
        device: where `now` is.
    """

    def __init__(self, feedbacks: Sequence[Feedback | None], device: torch.device) -> None:
        self.now = torch.ones(len(feedbacks), 1, device=device)
        self.groups = [
            Group(feedback, rows, feedback.state(rows.stop - rows.start, device))
            for feedback, rows in runs(feedbacks)
            if feedback is not None
        ]

    def hear_game(self, losses: Tensor) -> None:
        """Let those who hear the game know the discriminator's losses (K,) of a batch."""
        for feedback, rows, state in self.groups:
            if feedback.hears == "game":
                self.now[rows] = feedback.update(state, losses[rows])[:, None].to(self.now.dtype)

    def hear_metric(self, k: int, value: float, lower_is_better: bool) -> None:
        """Let member k, if it hears the metric, know a value of it."""
        for feedback, rows, state in self.groups:
            if feedback.hears == "metric" and rows.start <= k < rows.stop:
                own = {name: value[k - rows.start : k - rows.start + 1] for name, value in state.items()}
                heard = torch.tensor([value], dtype=finest(self.now.device), device=self.now.device)
                self.now[k] = feedback.update(own, heard, lower_is_better).to(self.now.dtype)

    def export(self, k: int) -> dict[str, Any] | None:
        """Return copies of gain and state of member k, None if it has no feedback."""
        for _, rows, state in self.groups:
            if rows.start <= k < rows.stop:
                own = {name: value[k - rows.start].clone() for name, value in state.items()}
                return {"gain": self.now[k].clone(), "state": own}
        return None

    def restore(self, k: int, saved: dict[str, Any]) -> None:
        """Put what was exported in place k."""
        self.now[k].copy_(saved["gain"])
        for _, rows, state in self.groups:
            if rows.start <= k < rows.stop:
                for name, value in saved["state"].items():
                    state[name][k - rows.start].copy_(value)
