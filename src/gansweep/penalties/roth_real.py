"""A flat discriminator on real samples, where it takes them for generated."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from gansweep.penalties.roth import Roth


@dataclass(frozen=True)
class RothReal(Roth):
    """Flatten the discriminator on real samples, the more the less it is sure of them.

        P(D) = weight / 2 * E[(1 - sigmoid(D(x_hat)))^2 || dD/dx (x_hat) ||_2^2],   x_hat = x_real

    The half on real samples of the Jensen-Shannon regulariser of Roth et al. 2017, arXiv:1705.09367,
    algorithm 1, with D the logit; `roth_fake` is the other half.

    Args:
        weight: the paper's gamma. Its experiments let it fall exponentially from 2 to 0.02.
    """

    def points(self, real: Tensor, fake: Tensor, u: Tensor) -> Tensor:
        """Choose the real samples, (K, B, ...)."""
        return real

    def score(self, slope: Tensor, logits: Tensor | None = None) -> Tensor:
        """Price slopes (K, B, ...) and logits (K, B) -> (K, B)."""
        assert logits is not None
        return self.priced(slope, -logits)
