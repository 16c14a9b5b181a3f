"""Values of the members that change during training: schedules and the gains of feedback.

The rate of a step, base rate times schedule, is computed by `PlayerSettings.rate` in `batched/member.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gansweep.batched.member import runs
from gansweep.device import finest
from gansweep.interfaces import Feedback

ValueAt = Callable[[int, int], float]  # (step, total steps) -> the value during that step

SCHEDULED_STEPS = 64  # generator steps


class Scheduled:
    """One scheduled value per member, `now` (K, 1).

    The values of many steps are copied to the device in one transfer, so that no step waits for it. `now` is
    updated in place, so that compiled graphs can refer to it.

    Args:
        values: scheduled value of every member as a function of step and total steps.
        device: of `now`.
        dtype: of `now`.
    """

    def __init__(
        self,
        values: Sequence[ValueAt],
        device: torch.device,
        dtype: torch.dtype | None = None,
    ) -> None:
        self.values = tuple(values)
        self.now = torch.zeros(len(self.values), 1, device=device, dtype=dtype)
        self.coming, self.since = self.now[:0], [0] * len(self.values)
        self._coming_on_host = self.coming
        self._at: int | None = None  # row of `_coming_on_host` that equals `now`

    def set(self, done: Sequence[int], total: Sequence[int]) -> None:
        """Set `now` to the values of the step after `done` of `total` generator steps of each member."""
        at = done[0] - self.since[0]
        if not 0 <= at < len(self.coming) or any(d - s != at for d, s in zip(done, self.since, strict=True)):
            members = list(zip(self.values, done, total, strict=True))
            values = [[[value(min(d + n, t - 1), t)] for value, d, t in members] for n in range(SCHEDULED_STEPS)]
            self._coming_on_host = torch.tensor(values, dtype=self.now.dtype)
            self.coming = self._coming_on_host.to(self.now.device)
            self.since, at = list(done), 0
        self.now.copy_(self.coming[at])
        self._at = at

    @property
    def on_host(self) -> Tensor | None:
        """`now` on the CPU, None before the first step and after `scale`."""
        return None if self._at is None else self._coming_on_host[self._at]

    def scale(self, factor: Tensor | float) -> None:
        """Multiply `now` by a factor, () or (K, 1), until the next step."""
        self.now.mul_(factor)
        self._at = None


class FeedbackGroup(NamedTuple):
    """Adjacent members with equal feedback, and its state for them."""

    feedback: Feedback
    rows: slice
    state: dict[str, Tensor]


class Gains:
    """Adaptive gains of the learning rates: one per member, `now` (K, 1); 1 for members without feedback.

    `now` is updated in place, so that compiled graphs can refer to it.

    Args:
        feedbacks: one per member, fitted to its game, or None.
        device: of `now`.
    """

    def __init__(self, feedbacks: Sequence[Feedback | None], device: torch.device) -> None:
        self.now = torch.ones(len(feedbacks), 1, device=device)
        self.groups = [
            FeedbackGroup(feedback, rows, feedback.state(rows.stop - rows.start, device))
            for feedback, rows in runs(feedbacks)
            if feedback is not None
        ]

    def update_with_loss(self, losses: Tensor) -> None:
        """Update the feedbacks that monitor the game with the discriminators' losses (K,) of a batch."""
        for feedback, rows, state in self.groups:
            if feedback.monitors == "game":
                self.now[rows] = feedback.update(state, losses[rows])[:, None].to(self.now.dtype)

    def update_with_metric(self, k: int, value: float, lower_is_better: bool) -> None:
        """Update the feedback of member k with a metric value, if it monitors the metric."""
        for feedback, rows, state in self.groups:
            if feedback.monitors == "metric" and rows.start <= k < rows.stop:
                member_state = {name: tensor[k - rows.start : k - rows.start + 1] for name, tensor in state.items()}
                signal = torch.tensor([value], dtype=finest(self.now.device), device=self.now.device)
                self.now[k] = feedback.update(member_state, signal, lower_is_better).to(self.now.dtype)

    def export(self, k: int) -> dict[str, Any] | None:
        """Return copies of the gain and the feedback state of member k, None if it has no feedback."""
        for _, rows, state in self.groups:
            if rows.start <= k < rows.stop:
                member_state = {name: value[k - rows.start].clone() for name, value in state.items()}
                return {"gain": self.now[k].clone(), "state": member_state}
        return None

    def restore(self, k: int, saved: dict[str, Any]) -> None:
        """Restore member k from an exported state."""
        self.now[k].copy_(saved["gain"])
        for _, rows, state in self.groups:
            if rows.start <= k < rows.stop:
                for name, value in saved["state"].items():
                    state[name][k - rows.start].copy_(value)
