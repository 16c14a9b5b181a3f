"""The difference of means that estimates a Wasserstein distance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor


@dataclass(frozen=True)
class Wasserstein:
    """Difference of the critic's means on generated and real samples.

        L_D = E[D(G(z))] - E[D(x)]
        L_G = -E[D(G(z))]

    Arjovsky et al. 2017, arXiv:1701.07875, eq. 2 and algorithm 1, negated because both players
    descend. It has no lower bound: something must hold the critic's slope, a clip or a penalty.
    """

    relativistic: ClassVar[bool] = False
    ideal_loss: ClassVar[float] = 0.0

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Score the critic's outputs (K, B) and (K, B) -> (K,)."""
        return fake.mean(1) - real.mean(1)

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """Score the critic's outputs (K, B) -> (K,)."""
        return -fake.mean(1)
