"""Training objective: a GAN loss with penalties, weight clipping and input noise."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from torch import Tensor

from gansweep.interfaces import Game, Penalty


@dataclass(frozen=True)
class Objective:
    """Losses of both players of one member, with regularisation of the discriminator.

        L_D = loss of the game + sum of penalties,   L_G = loss of the game

    Args:
        game: the GAN loss, e.g. `Standard`.
        penalties: gradient penalties on the discriminator; the keys name them in the log.
        clip: weight clipping: bound on the absolute value of the discriminator's parameters, applied
            after each of its updates (Arjovsky et al. 2017, algorithm 1); None: no clipping.
        critic_steps: discriminator updates per generator update.
        flip: probability that a real and a generated sample of the discriminator's batch swap labels
            (noisy labels, common in practice; cf. Salimans et al. 2016, arXiv:1606.03498).
        instance_noise: standard deviation of Gaussian noise added to the discriminator's inputs,
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
            raise ValueError(f"flip={self.flip}: expected a probability 0 <= flip < 1")
        if not 0 <= self.instance_noise < math.inf:
            raise ValueError(f"instance_noise={self.instance_noise}: expected a number >= 0")


@dataclass(frozen=True)
class NoGame:
    """Placeholder for algorithms without a discriminator; both losses raise NotImplementedError."""

    relativistic: ClassVar[bool] = False

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Raise NotImplementedError."""
        raise NotImplementedError("there is no discriminator")

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """Raise NotImplementedError."""
        raise NotImplementedError("the algorithm defines its own loss")
