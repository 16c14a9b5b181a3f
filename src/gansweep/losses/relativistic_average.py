"""Relativistic average GAN loss (RaGAN)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from gansweep.losses.two_terms import TwoTerms, check_mirrored, check_two_terms


@dataclass(frozen=True)
class RelativisticAverage:
    """RaGAN: each logit is compared with the mean logit of the opposite class.

        L_D = E[on_real(D(x) - m_fake)] + E[on_fake(D(G(z)) - m_real)]
        L_G = E[on_real(D(G(z)) - m_real)] + E[on_fake(D(x) - m_fake)]
        m_real = E[D(x)],   m_fake = E[D(G(z))],   over the batch

    Jolicoeur-Martineau 2018, arXiv:1807.00734, section 4.3: RaSGAN with Standard, RaHingeGAN with
    Hinge, and RaLSGAN with LeastSquares and the labels -1 and 1 (here with the factor 1/2 of LSGAN).
    Gradients flow through the means too. The author's code halves both losses, the paper does not.

    Args:
        of: the loss per sample; must satisfy on_fake(-t) = on_real(t). Its generator loss is not
            used, so Minimax gives the same result as Standard.
    """

    of: TwoTerms
    relativistic: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_two_terms(self.of)
        check_mirrored(self.of)

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return the discriminator's loss (K,) for logits `real` and `fake`, (K, B) each."""
        above_fake, above_real = real - fake.mean(1, keepdim=True), fake - real.mean(1, keepdim=True)
        return self.of.discriminator(above_fake, above_real)

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """Return the generator's loss (K,) for logits `fake` and `real`, (K, B) each."""
        assert real is not None
        return self.discriminator(fake, real)  # the same loss with the labels exchanged
