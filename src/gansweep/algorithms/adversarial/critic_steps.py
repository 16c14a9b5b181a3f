"""Number of discriminator updates before each generator update, constant or scheduled."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gansweep.interfaces import Schedule


class CriticSteps:
    """Discriminator updates in every step of a pack, equal for all members.

    Args:
        critic_steps: number without a schedule.
        schedule: multiplier of `critic_steps`; None for 1.
        total_steps: length of the runs.
    """

    def __init__(self, critic_steps: int, schedule: Schedule | None, total_steps: int) -> None:
        self.schedule, steps = schedule, range(total_steps) if schedule is not None else range(1)
        self.counts = [critic_steps_at(critic_steps, schedule, step, total_steps) for step in steps]  # or one for all

    def now(self, done: Sequence[int], total_steps: Sequence[int]) -> int:
        """Return the number in the current step.

        Args:
            done: step of each member, counted from 1.
            total_steps: length of each member's run.

        Raises:
            ValueError: members are at different steps of a schedule.
        """
        if self.schedule is None:
            return self.counts[0]
        if len({*zip(done, total_steps, strict=True)}) > 1:
            raise ValueError(f"critic_schedule={self.schedule!r}: expected all members at the same step")
        return self.counts[done[0] - 1]


def critic_steps_at(critic_steps: int, schedule: Schedule | None, step: int, total_steps: int) -> int:
    """Return critic_steps * schedule of a step, rounded to the nearest integer, at least 1.

    >>> from gansweep.schedules.linspace import Linspace
    >>> [critic_steps_at(5, Linspace(1.0, 0.0), step, 6) for step in range(6)]
    [5, 4, 3, 2, 1, 1]
    """
    if schedule is None:
        return critic_steps
    return max(1, math.floor(critic_steps * schedule(step, total_steps) + 0.5))
