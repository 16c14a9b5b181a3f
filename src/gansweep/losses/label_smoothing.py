"""One-sided label smoothing."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gansweep.losses.two_terms import TwoTerms, check_two_terms


@dataclass(frozen=True)
class LabelSmoothing(TwoTerms):
    """One-sided label smoothing: the label of real samples is 1 - amount instead of 1.

        L_D = E[(1 - amount) on_real(D(x)) + amount on_fake(D(x))] + E[on_fake(D(G(z)))]
        L_G = the generator's loss of the wrapped game

    Salimans et al. 2016, arXiv:1606.03498, section 3.4. With Standard this is the cross-entropy with
    the labels 1 - amount and 0. The label of generated samples is not smoothed: that would reward the
    generator for samples near its current ones.

    Args:
        of: the game to smooth, a `TwoTerms`; with Standard, the optimal real logit is at most
            log((1 - amount) / amount).
        amount: amount subtracted from the label 1 of real samples; 0.1 in the paper.
    """

    of: TwoTerms
    amount: float = 0.1

    def __post_init__(self) -> None:
        check_two_terms(self.of)
        if not 0 <= self.amount < 0.5:
            raise ValueError(f"amount={self.amount}: expected a number 0 <= amount < 0.5")
        if self.of.on_real(torch.tensor(1e6)) < 0:
            raise ValueError(
                f"of={self.of!r}: its loss on real logits is unbounded below, so it has no label to smooth; "
                "expected e.g. Standard, Minimax, Hinge or LeastSquares"
            )

    def on_real(self, logits: Tensor) -> Tensor:
        """Return the loss of each real sample from its logit, elementwise."""
        return (1 - self.amount) * self.of.on_real(logits) + self.amount * self.of.on_fake(logits)

    def on_fake(self, logits: Tensor) -> Tensor:
        """Return the loss of each generated sample from its logit, elementwise."""
        return self.of.on_fake(logits)

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """Return the generator's loss (K,) for logits `fake` (K, B)."""
        return self.of.generator(fake)
