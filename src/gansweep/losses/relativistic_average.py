"""A discriminator that compares a sample with the average of the other kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from gansweep.losses.two_terms import TwoTerms, check_mirrored, check_two_terms


@dataclass(frozen=True)
class RelativisticAverage:
    """Ask whether a sample is more real than those of the other kind are on average.

        L_D = E[on_real(D(x) - m_fake)] + E[on_fake(D(G(z)) - m_real)]
        L_G = E[on_real(D(G(z)) - m_real)] + E[on_fake(D(x) - m_fake)]
        m_real = E[D(x)],   m_fake = E[D(G(z))],   over the batch

    Jolicoeur-Martineau 2018, arXiv:1807.00734, section 4.3 (RaGAN): RaSGAN with Standard, RaLSGAN
    with LeastSquares and the labels -1 and 1, which keeps its 1/2 here, and RaHingeGAN with Hinge.
    Gradients flow through the averages too. The author's code halves both losses, the paper does not.

    Args:
        of: the game of one sample, whose terms are mirror images. Its generator is not used:
            Minimax gives the same as Standard.
    """

    of: TwoTerms
    relativistic: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_two_terms(self.of)
        check_mirrored(self.of)

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Score logits (K, B) and (K, B) -> (K,)."""
        above_fake, above_real = real - fake.mean(1, keepdim=True), fake - real.mean(1, keepdim=True)
        return self.of.discriminator(above_fake, above_real)

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """Score logits (K, B) and (K, B) -> (K,)."""
        assert real is not None
        return self.discriminator(fake, real)  # the same game with the labels exchanged
