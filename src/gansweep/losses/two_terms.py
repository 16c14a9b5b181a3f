"""Games whose discriminator looks at real and at generated samples apart."""

from __future__ import annotations

from typing import ClassVar, Protocol, runtime_checkable

import torch
from torch import Tensor

from gansweep.interfaces import Game


@runtime_checkable
class TwoTerms(Game, Protocol):
    """A game whose discriminator's loss is a sum over samples of either kind.

        L_D = E[on_real(D(x))] + E[on_fake(D(G(z)))]

    The relativistic paper's f1 and f2. What wraps a game may be wrapped around each of these.
    """

    relativistic: ClassVar[bool] = False

    def on_real(self, logits: Tensor) -> Tensor:
        """Score the logit of every real sample, elementwise."""
        ...

    def on_fake(self, logits: Tensor) -> Tensor:
        """Score the logit of every generated sample, elementwise."""
        ...

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Score logits (K, B) and (K, B) -> (K,)."""
        return self.on_real(real).mean(1) + self.on_fake(fake).mean(1)


def check_two_terms(of: object) -> None:
    """Raise ValueError unless a game to be wrapped has two terms."""
    if not isinstance(of, TwoTerms):
        raise ValueError(f"of={of!r}: expected a game with on_real and on_fake, e.g. Standard, Hinge or LeastSquares")


def check_mirrored(of: TwoTerms) -> None:
    """Raise ValueError unless on_fake(-t) = on_real(t): real and generated differ in the sign alone."""
    t = torch.tensor([-3.0, -0.5, 0.0, 0.25, 2.0], dtype=torch.float64)
    if not torch.allclose(of.on_fake(-t), of.on_real(t)):
        raise ValueError(
            f"of={of!r}: expected a game whose terms are mirror images, on_fake(-t) = on_real(t): "
            "Standard, Hinge, Wasserstein, or LeastSquares with fake_label = -real_label"
        )
