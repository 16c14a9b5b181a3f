"""The difference of means that estimates a Wasserstein distance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from gansweep.losses.two_terms import TwoTerms


@dataclass(frozen=True)
class Wasserstein(TwoTerms):
    """Difference of the critic's means on generated and real samples.

        L_D = E[D(G(z))] - E[D(x)]
        L_G = -E[D(G(z))]

    Arjovsky et al. 2017, arXiv:1701.07875, eq. 2 and algorithm 1, negated because both players
    descend. It has no lower bound: something must hold the critic's slope, a clip or a penalty.
    """

    ideal_loss: ClassVar[float] = 0.0

    def on_real(self, logits: Tensor) -> Tensor:
        """Score the critic's output on every real sample, elementwise."""
        return -logits

    def on_fake(self, logits: Tensor) -> Tensor:
        """Score the critic's output on every generated sample, elementwise."""
        return logits

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """Score the critic's outputs (K, B) -> (K,)."""
        return -fake.mean(1)
