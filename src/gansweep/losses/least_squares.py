"""Least-squares GAN loss (LSGAN)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from gansweep.interfaces import ArgumentConflict
from gansweep.losses.two_terms import TwoTerms


@dataclass(frozen=True)
class LeastSquares(TwoTerms):
    """LSGAN: mean squared error between the discriminator's outputs and labels.

        L_D = 1/2 E[(D(x) - b)^2] + 1/2 E[(D(G(z)) - a)^2]
        L_G = 1/2 E[(D(G(z)) - c)^2]

    Mao et al. 2017, arXiv:1611.04076, eq. 2. The defaults are those of eq. 9. The labels of eq. 8,
    a = -1, b = 1, c = 0, minimise the Pearson chi-square divergence.

    Args:
        fake_label: a, the label of generated samples.
        real_label: b, the label of real samples.
        target: c, the label that the generator's loss uses for generated samples.
    """

    fake_label: float = 0.0
    real_label: float = 1.0
    target: float = 1.0

    def __post_init__(self) -> None:
        for name in ("fake_label", "real_label", "target"):
            if not math.isfinite(getattr(self, name)):
                raise ValueError(f"{name}={getattr(self, name)}: expected a finite number")
        if not self.fake_label < self.real_label:
            message = f"fake_label={self.fake_label}: expected less than real_label={self.real_label}"
            raise ArgumentConflict(message, "fake_label", "real_label")

    @property
    def ideal_loss(self) -> float:
        """((b - a) / 2)^2, the discriminator's loss at the constant output (a + b) / 2."""
        return ((self.real_label - self.fake_label) / 2) ** 2

    def on_real(self, logits: Tensor) -> Tensor:
        """Return the loss of each real sample from the discriminator's output, elementwise."""
        return (logits - self.real_label).square() / 2

    def on_fake(self, logits: Tensor) -> Tensor:
        """Return the loss of each generated sample from the discriminator's output, elementwise."""
        return (logits - self.fake_label).square() / 2

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """Return the generator's loss (K,) for outputs `fake` (K, B)."""
        return (fake - self.target).square().mean(1) / 2
