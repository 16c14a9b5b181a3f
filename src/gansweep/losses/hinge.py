"""A margin for the discriminator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor


@dataclass(frozen=True)
class Hinge:
    """Push real logits above 1 and generated ones below -1, and no further.

        L_D = E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))]
        L_G = -E[D(G(z))]

    Lim and Ye 2017, arXiv:1705.02894; Miyato et al. 2018, arXiv:1802.05957, eqs. 16 and 17.
    """

    relativistic: ClassVar[bool] = False
    ideal_loss: ClassVar[float] = 2.0

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Score logits (K, B) and (K, B) -> (K,)."""
        return (1 - real).relu().mean(1) + (1 + fake).relu().mean(1)

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """Score logits (K, B) -> (K,)."""
        return -fake.mean(1)
