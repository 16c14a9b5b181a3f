"""A game together with what keeps its discriminator in bounds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from gansweep.interfaces import Game, Penalty


@dataclass(frozen=True)
class Objective:
    """Everything that the two players of one member minimise.

        L_D = game + sum of penalties,   L_G = game

    Args:
        game: what the players want.
        penalties: prices on the discriminator's slope, by the name they have in the log.
        clip: bound on the absolute value of every parameter of the discriminator, kept after
            each of its updates (Arjovsky et al. 2017, algorithm 1); None for none.
        critic_steps: discriminator updates per generator update.
        flip: chance that a real and a generated sample of the discriminator's batch swap labels
            (Salimans et al. 2016, arXiv:1606.03498, and the folklore of training GANs).
        instance_noise: standard deviation of Gaussian noise on all that the discriminator sees,
            real and generated (Soenderby et al. 2017, arXiv:1610.04490, section 3.1).
    """

    game: Game
    penalties: Mapping[str, Penalty] = field(default_factory=dict)
    clip: float | None = None
    critic_steps: int = 1
    flip: float = 0.0
    instance_noise: float = 0.0

    def __post_init__(self) -> None:
        if self.clip is not None and not 0 < self.clip < math.inf:
            raise ValueError(f"clip={self.clip}: expected a number > 0, or null")
        if self.critic_steps < 1:
            raise ValueError(f"critic_steps={self.critic_steps}: expected a whole number >= 1")
        if not 0 <= self.flip < 1:
            raise ValueError(f"flip={self.flip}: expected a chance 0 <= flip < 1")
        if not 0 <= self.instance_noise < math.inf:
            raise ValueError(f"instance_noise={self.instance_noise}: expected a number >= 0")
