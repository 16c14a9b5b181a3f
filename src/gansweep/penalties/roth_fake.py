"""A flat discriminator on generated samples, where it takes them for real."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from gansweep.penalties.length import squared_length
from gansweep.penalties.sigmoid import sigmoid


@dataclass(frozen=True)
class RothFake:
    """Flatten the discriminator on generated samples, the more the less it is sure of them.

        P(D) = weight / 2 * E[sigmoid(D(x_hat))^2 || dD/dx (x_hat) ||_2^2],   x_hat = x_fake

    The half on generated samples of the Jensen-Shannon regulariser of Roth et al. 2017, arXiv:1705.09367,
    algorithm 1, with D the logit; `roth_real` is the other half. It stands for noise of variance gamma
    on the samples of a cross-entropy game. The gradient goes through the chance too, as in the
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

    def points(self, real: Tensor, fake: Tensor, u: Tensor) -> Tensor:
        """Choose the generated samples, (K, B, ...)."""
        return fake

    def score(self, slope: Tensor, logits: Tensor | None = None) -> Tensor:
        """Price slopes (K, B, ...) and logits (K, B) -> (K, B)."""
        assert logits is not None
        return sigmoid(logits).square() * squared_length(slope) / 2
