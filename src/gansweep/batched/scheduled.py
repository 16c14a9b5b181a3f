"""Scheduled values of the members, copied to the device for many steps in advance."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

Course = Callable[[int, int], float]  # (step, total steps) -> the value during that step

AHEAD = 64  # generator steps


class Scheduled:
    """One scheduled value per member, `now` (K, 1).

    The values of many steps are copied to the device in one transfer, so that no step waits for it. `now` is
    updated in place, so that compiled graphs can refer to it.

    Args:
        courses: scheduled value of every member as a function of step and total steps.
        device: of `now`.
        dtype: of `now`.
    """

    def __init__(
        self,
        courses: Sequence[Course],
        device: torch.device,
        dtype: torch.dtype | None = None,
    ) -> None:
        self.courses = tuple(courses)
        self.now = torch.zeros(len(self.courses), 1, device=device, dtype=dtype)
        self.coming, self.since = self.now[:0], [0] * len(self.courses)

    def set(self, done: Sequence[int], total: Sequence[int]) -> None:
        """Set `now` to the values of the step after `done` of `total` generator steps of each member."""
        at = done[0] - self.since[0]
        if not 0 <= at < len(self.coming) or any(d - s != at for d, s in zip(done, self.since, strict=True)):
            of = list(zip(self.courses, done, total, strict=True))
            values = [[[course(min(d + n, t - 1), t)] for course, d, t in of] for n in range(AHEAD)]
            self.coming = torch.tensor(values, dtype=self.now.dtype).to(self.now.device)
            self.since, at = list(done), 0
        self.now.copy_(self.coming[at])
