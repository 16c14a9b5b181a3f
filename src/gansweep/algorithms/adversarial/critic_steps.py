"""Scheduled number of discriminator updates per generator update."""

from __future__ import annotations

import math

from gansweep.interfaces import Schedule


def critic_steps_at(critic_steps: int, schedule: Schedule | None, step: int, total_steps: int) -> int:
    """Return critic_steps * schedule of a step, rounded to the nearest integer, at least 1.

    >>> from gansweep.schedules.linspace import Linspace
    >>> [critic_steps_at(5, Linspace(1.0, 0.0), step, 6) for step in range(6)]
    [5, 4, 3, 2, 1, 1]
    """
    if schedule is None:
        return critic_steps
    return max(1, math.floor(critic_steps * schedule(step, total_steps) + 0.5))
