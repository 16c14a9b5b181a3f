"""Base class of the Jensen-Shannon regulariser of Roth et al."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from gansweep.penalties.length import squared_length
from gansweep.penalties.sigmoid import sigmoid


@dataclass(frozen=True)
class Roth:
    """Jensen-Shannon regulariser, one of its two terms; `RothReal` and `RothFake` define the points.

        P(D) = weight / 2 * E[p(D(x_hat))^2 || dD/dx (x_hat) ||_2^2]
        p = probability that the discriminator assigns to the wrong class

    Roth et al. 2017, arXiv:1705.09367, algorithm 1, with D the logit. It approximates Gaussian noise of
    variance gamma on the samples, for the cross-entropy loss. The penalty is differentiated through p
    too, as in the paper's code.

    Args:
        weight: the paper's gamma. Its experiments decay it exponentially from 2 to 0.02.
    """

    weight: float = 2.0
    noise: ClassVar[Literal["sample", "entry"]] = "sample"
    needs_logits: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 <= self.weight < math.inf:
            raise ValueError(f"weight={self.weight}: expected a number >= 0")

    def weighted(self, gradient: Tensor, logits: Tensor) -> Tensor:
        """Return p^2 || dD/dx ||_2^2 / 2, (K, B), of input gradients (K, B, ...) and logits (K, B) of p."""
        return sigmoid(logits).square() * squared_length(gradient) / 2
