"""Relativistic pairing GAN loss (RpGAN)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from gansweep.losses.two_terms import TwoTerms, check_mirrored, check_two_terms


@dataclass(frozen=True)
class RelativisticPairing:
    """RpGAN: loss of the logit difference between a real and a generated sample.

        L_D = E[on_real(D(x) - D(G(z)))]
        L_G = E[on_real(D(G(z)) - D(x))]

    Jolicoeur-Martineau 2018, arXiv:1807.00734, sections 4.1 and 4.2 (RSGAN, RGAN). The paper's f1 is
    `on_real`; the generator's loss exchanges the labels. With Standard this is RpGAN, which Huang et
    al. 2024, arXiv:2501.05441, combine with R1 and R2 into R3GAN. The generator's loss is
    non-saturating, as in their code; their eq. 2 is a saddle-point problem.

    The b-th real sample is paired with the b-th generated sample. Both losses depend on differences
    of logits only, so a constant added to all logits does not change them.

    Args:
        of: the loss per pair; must satisfy on_fake(-t) = on_real(t). Its generator loss is not used,
            so Minimax gives the same result as Standard.
    """

    of: TwoTerms
    relativistic: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_two_terms(self.of)
        check_mirrored(self.of)

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return the discriminator's loss (K,) for logits `real` and `fake`, (K, B) each."""
        return self.of.on_real(real - fake).mean(1)

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """Return the generator's loss (K,) for logits `fake` and `real`, (K, B) each."""
        assert real is not None
        return self.of.on_real(fake - real).mean(1)
