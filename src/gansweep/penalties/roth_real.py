"""Jensen-Shannon regulariser on real samples."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from gansweep.penalties.roth import Roth


@dataclass(frozen=True)
class RothReal(Roth):
    """Jensen-Shannon regulariser, term on real samples: squared gradient norm weighted by (1 - sigmoid(D))^2.

        P(D) = weight / 2 * E[(1 - sigmoid(D(x_hat)))^2 || dD/dx (x_hat) ||_2^2],   x_hat = x_real

    Roth et al. 2017, arXiv:1705.09367, algorithm 1, with D the logit. `RothFake` is the other term.

    Args:
        weight: the paper's gamma. Its experiments decay it exponentially from 2 to 0.02.
    """

    def points(self, real: Tensor, fake: Tensor, u: Tensor) -> Tensor:
        """Return x_hat = real, (K, B, ...)."""
        return real

    def score(self, slope: Tensor, logits: Tensor | None = None) -> Tensor:
        """Return the unweighted penalty (K, B) for input gradients `slope` (K, B, ...) and `logits` (K, B)."""
        assert logits is not None
        return self.weighted(slope, -logits)
