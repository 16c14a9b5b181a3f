"""A flat discriminator on generated samples."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from gansweep.penalties.length import squared_length


@dataclass(frozen=True)
class R2:
    """Flatten the discriminator on generated samples.

        P(D) = weight / 2 * E[|| dD/dx (x_hat) ||_2^2],   x_hat = x_fake

    Mescheder et al. 2018, arXiv:1801.04406, eq. 10. The paper's experiments use gamma = 10.
    Its published code leaves out the 1/2: the 10 of its configs is a weight of 20 here.

    Args:
        weight: the paper's gamma. At the equilibrium of the Dirac-GAN, 1 is critical damping.
    """

    weight: float = 10.0
    noise: ClassVar[Literal["sample", "entry"]] = "sample"
    needs_logits: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not 0 <= self.weight < math.inf:
            raise ValueError(f"weight={self.weight}: expected a number >= 0")

    def points(self, real: Tensor, fake: Tensor, u: Tensor) -> Tensor:
        """Choose the generated samples, (K, B, ...)."""
        return fake

    def score(self, slope: Tensor, logits: Tensor | None = None) -> Tensor:
        """Price slopes (K, B, ...) -> (K, B)."""
        return squared_length(slope) / 2
