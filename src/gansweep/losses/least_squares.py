"""Regression to labels instead of classification."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from gansweep.losses.two_terms import TwoTerms


@dataclass(frozen=True)
class LeastSquares(TwoTerms):
    """Bring the discriminator's outputs to labels, in mean square.

        L_D = 1/2 E[(D(x) - b)^2] + 1/2 E[(D(G(z)) - a)^2]
        L_G = 1/2 E[(D(G(z)) - c)^2]

    Mao et al. 2017, arXiv:1611.04076, eq. 2. The defaults are its eq. 9. Its eq. 8, a = -1,
    b = 1, c = 0, minimises the Pearson chi-square divergence.

    Args:
        fake_label: a.
        real_label: b.
        target: c, what the generator wants its samples to be taken for.
    """

    fake_label: float = 0.0
    real_label: float = 1.0
    target: float = 1.0

    def __post_init__(self) -> None:
        for name in ("fake_label", "real_label", "target"):
            if not math.isfinite(getattr(self, name)):
                raise ValueError(f"{name}={getattr(self, name)}: expected a finite number")
        if not self.fake_label < self.real_label:
            raise ValueError(f"fake_label={self.fake_label}: expected less than real_label={self.real_label}")

    @property
    def ideal_loss(self) -> float:
        """((b - a) / 2)^2, that of the output (a + b) / 2 everywhere."""
        return ((self.real_label - self.fake_label) / 2) ** 2

    def on_real(self, logits: Tensor) -> Tensor:
        """Score the output on every real sample, elementwise."""
        return (logits - self.real_label).square() / 2

    def on_fake(self, logits: Tensor) -> Tensor:
        """Score the output on every generated sample, elementwise."""
        return (logits - self.fake_label).square() / 2

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """Score outputs (K, B) -> (K,)."""
        return (fake - self.target).square().mean(1) / 2
