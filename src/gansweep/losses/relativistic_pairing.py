"""A discriminator that compares one real sample with one generated sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from gansweep.losses.two_terms import TwoTerms, check_mirrored, check_two_terms


@dataclass(frozen=True)
class RelativisticPairing:
    """Ask which sample of a pair is the real one.

        L_D = E[on_real(D(x) - D(G(z)))]
        L_G = E[on_real(D(G(z)) - D(x))]

    Jolicoeur-Martineau 2018, arXiv:1807.00734, sections 4.1 and 4.2 (RSGAN, RGAN): its f1 is
    `on_real`, and the generator plays the game with the labels exchanged. With Standard it is RpGAN,
    which Huang et al. 2024, arXiv:2501.05441, join with R1 and R2 to R3GAN; like their code, and
    unlike the saddle point of their eq. 2, the generator does not saturate.

    The b-th real sample meets the b-th generated one. Both players see differences alone, so the
    game leaves open where the logits lie as a whole.

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
        return self.of.on_real(real - fake).mean(1)

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """Score logits (K, B) and (K, B) -> (K,)."""
        assert real is not None
        return self.of.on_real(fake - real).mean(1)
