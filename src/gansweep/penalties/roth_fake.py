"""Jensen-Shannon regulariser on generated samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from gansweep.penalties.gradient_penalty import GradientPenalty
from gansweep.penalties.length import sigmoid, squared_length


@dataclass(frozen=True)
class RothFake(GradientPenalty):
    """Jensen-Shannon regulariser, term on generated samples.

        P(D) = weight / 2 * E[sigmoid(D(x_hat))^2 || dD/dx (x_hat) ||_2^2],   x_hat = x_fake

    Roth et al. 2017, arXiv:1705.09367, algorithm 1, with D the logit. `RothReal` is the other term.

    Args:
        weight: the paper's gamma. Its experiments decay it exponentially from 2 to 0.02.
    """

    weight: float = 2.0
    needs_logits: ClassVar[bool] = True

    def points(self, real: Tensor, fake: Tensor, u: Tensor) -> Tensor:
        """Return x_hat = fake, (K, B, ...)."""
        return fake

    def score(self, grad: Tensor, logits: Tensor | None = None) -> Tensor:
        """Return the unweighted penalty (K, B) for gradients (K, B, ...) and logits (K, B)."""
        assert logits is not None
        return sigmoid(logits).square() * squared_length(grad) / 2
