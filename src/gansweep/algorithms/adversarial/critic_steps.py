"""How often the discriminator moves before the generator answers."""

from __future__ import annotations

import math

from gansweep.interfaces import Schedule


def critic_steps_at(critic_steps: int, schedule: Schedule | None, step: int, total_steps: int) -> int:
    """Multiply critic steps by a schedule: the nearest whole number, and 1 at least.

    >>> from gansweep.schedules.linspace import Linspace
    >>> [critic_steps_at(5, Linspace(1.0, 0.0), step, 6) for step in range(6)]
    [5, 4, 3, 2, 1, 1]
    """
    if schedule is None:
        return critic_steps
    return max(1, math.floor(critic_steps * schedule(step, total_steps) + 0.5))
