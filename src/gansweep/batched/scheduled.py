"""Numbers of the members that change from step to step, on the device before they are needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

Course = Callable[[int, int], float]  # (step, total steps) -> the value in force during that step

AHEAD = 64  # generator steps


class Scheduled:
    """One number for each member, `now` (K, 1), that follows the member's own course.

    The values of many steps go to the device at once, so that no step waits for it. `now` is
    always the same tensor, which a compiled graph may hold.

    Args:
        courses: one per member.
        device: where `now` is.
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
        """Take the values of the step after `done` of `total` generator steps, of each member."""
        at = done[0] - self.since[0]
        if not 0 <= at < len(self.coming) or any(d - s != at for d, s in zip(done, self.since, strict=True)):
            of = list(zip(self.courses, done, total, strict=True))
            values = [[[course(min(d + n, t - 1), t)] for course, d, t in of] for n in range(AHEAD)]
            self.coming = torch.tensor(values, dtype=self.now.dtype).to(self.now.device)
            self.since, at = list(done), 0
        self.now.copy_(self.coming[at])
