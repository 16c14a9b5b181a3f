"""A discriminator that is not asked to be sure of real samples."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gansweep.losses.two_terms import TwoTerms, check_two_terms


@dataclass(frozen=True)
class LabelSmoothing(TwoTerms):
    """Take real samples for generated ones by a small part, generated ones wholly for what they are.

        L_D = E[(1 - amount) on_real(D(x)) + amount on_fake(D(x))] + E[on_fake(D(G(z)))]
        L_G = that of the game

    Salimans et al. 2016, arXiv:1606.03498, section 3.4, one-sided: the cross-entropy of the labels
    1 - amount and 0. Smoothing the label of generated samples too would reward the generator
    for staying where the discriminator expects it.

    Args:
        of: a game of two terms; with Standard, real logits are drawn to log((1 - amount) / amount).
        amount: what the label of real samples lacks to 1, in the paper 0.1.
    """

    of: TwoTerms
    amount: float = 0.1

    def __post_init__(self) -> None:
        check_two_terms(self.of)
        if not 0 <= self.amount < 0.5:
            raise ValueError(f"amount={self.amount}: expected a part of the label 0 <= amount < 0.5")
        if self.of.on_real(torch.tensor(1e6)) < 0:
            raise ValueError(
                f"of={self.of!r}: falls for ever as real logits rise, so it has no label to smooth; "
                "expected e.g. Standard, Minimax, Hinge or LeastSquares"
            )

    def on_real(self, logits: Tensor) -> Tensor:
        """Score the logit of every real sample, elementwise."""
        return (1 - self.amount) * self.of.on_real(logits) + self.amount * self.of.on_fake(logits)

    def on_fake(self, logits: Tensor) -> Tensor:
        """Score the logit of every generated sample, elementwise."""
        return self.of.on_fake(logits)

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """Score logits (K, B) -> (K,)."""
        return self.of.generator(fake)
