"""A flat discriminator where it is not sure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from gansweep.penalties.length import squared_length
from gansweep.penalties.sigmoid import sigmoid


@dataclass(frozen=True)
class Roth:
    """Either half of the Jensen-Shannon regulariser: `RothReal` and `RothFake` say where.

        P(D) = weight / 2 * E[p(D(x_hat))^2 || dD/dx (x_hat) ||_2^2],   p the chance given to the other kind

    Roth et al. 2017, arXiv:1705.09367, algorithm 1, with D the logit. It stands for noise of variance
    gamma on the samples of a cross-entropy game. The gradient goes through the chance too, as in the
    paper's code.

    Args:
        weight: the paper's gamma. Its experiments let it fall exponentially from 2 to 0.02.
    """

    weight: float = 2.0
    noise: ClassVar[Literal["sample", "entry"]] = "sample"
    needs_logits: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 <= self.weight < math.inf:
            raise ValueError(f"weight={self.weight}: expected a number >= 0")

    def priced(self, slope: Tensor, chance: Tensor) -> Tensor:
        """Price slopes (K, B, ...) by the logits (K, B) of the chance p -> (K, B)."""
        return sigmoid(chance).square() * squared_length(slope) / 2
