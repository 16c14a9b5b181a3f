"""Base class of GAN losses with separate terms on real and on generated samples."""

from __future__ import annotations

from typing import ClassVar, Protocol, runtime_checkable

import torch
from torch import Tensor

from gansweep.interfaces import Game


@runtime_checkable
class TwoTerms(Game, Protocol):
    """A GAN loss with separate discriminator terms for real and generated samples.

        L_D = E[on_real(D(x))] + E[on_fake(D(G(z)))]

    `on_real` and `on_fake` are f1 and f2 of Jolicoeur-Martineau 2018, arXiv:1807.00734. Wrappers such
    as `LabelSmoothing` and the relativistic losses take any such loss.
    """

    relativistic: ClassVar[bool] = False

    def on_real(self, logits: Tensor) -> Tensor:
        """Return the loss of each real sample from its logit, elementwise."""
        ...

    def on_fake(self, logits: Tensor) -> Tensor:
        """Return the loss of each generated sample from its logit, elementwise."""
        ...

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return the discriminator's loss (K,) for logits `real` and `fake`, (K, B) each."""
        return self.on_real(real).mean(1) + self.on_fake(fake).mean(1)


def check_two_terms(of: object) -> None:
    """Raise ValueError unless `of` has separate terms on_real and on_fake."""
    if not isinstance(of, TwoTerms):
        raise ValueError(f"of={of!r}: expected a game with on_real and on_fake, e.g. Standard, Hinge or LeastSquares")


def check_mirrored(of: TwoTerms) -> None:
    """Raise ValueError unless on_fake(-t) = on_real(t)."""
    t = torch.tensor([-3.0, -0.5, 0.0, 0.25, 2.0], dtype=torch.float64)
    if not torch.allclose(of.on_fake(-t), of.on_real(t)):
        raise ValueError(
            f"of={of!r}: expected a game with symmetric terms, on_fake(-t) = on_real(t): "
            "Standard, Hinge, Wasserstein, or LeastSquares with fake_label = -real_label"
        )


def softplus(x: Tensor) -> Tensor:
    """Return log(1 + e^x) = max(x, 0) + log(1 + e^-|x|), elementwise.

    `torch.nn.functional.softplus` rounds differently for elements left over after the last full
    vector register. A member's loss would then depend on the number of members in the batch.
    `maximum` is used instead of `clamp` because it halves the gradient at a tie, which gives the
    derivative sigmoid(0) = 1/2 at x = 0.
    """
    return torch.maximum(x, torch.zeros_like(x)) + torch.log1p(torch.exp(-x.abs()))
