"""Gradient penalties with a target norm: WGAN-GP and DRAGAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from gansweep.dirac.fields.field import Field, Numbers, Printed, check_finite
from gansweep.dirac.fields.gan import GAN, WGAN


@dataclass(frozen=True)
class GradientPenalty(Field):
    """Game with the gradient penalty gamma/2 (|psi| - target)^2; |psi| is the norm of the input gradient.

        v_psi of the game - gamma (|psi| - target) sign(psi),   sign(0) = 0

    Args:
        gamma: weight of the penalty.
        target: gradient norm to aim at.
    """

    gamma: Numbers = 0.7
    target: Numbers = 1.0
    game: ClassVar[Field]

    def __post_init__(self) -> None:
        check_finite(gamma=self.gamma, target=self.target)

    def __call__(self, theta: Numbers, psi: Numbers) -> tuple[Any, Any]:
        """Return v_theta and v_psi, the update directions of both players."""
        v_theta, v_psi = self.game(theta, psi)
        return v_theta, v_psi - self.gamma * (abs(psi) - self.target) * np.sign(psi)

    def jacobian(self) -> np.ndarray | None:
        """Return None: v is discontinuous at psi = 0."""

    def losses(self, theta: Any, psi: Any) -> tuple[Any, Any]:
        """Return the losses of the game, that of the discriminator with the penalty."""
        loss_g, loss_d = self.game.losses(theta, psi)
        return loss_g, loss_d + self.gamma / 2 * (abs(psi) - self.target) ** 2


@dataclass(frozen=True)
class WGANGP(GradientPenalty):
    """WGAN-GP: the linear game f(t) = t with the gradient penalty gamma/2 (|psi| - target)^2.

        v = (-psi, theta - gamma (|psi| - target) sign(psi)),   sign(0) = 0

    Gulrajani et al. 2017, arXiv:1704.00028; arXiv:1801.04406, section 3.1. At the equilibrium
    the input gradient is 0, so the penalty pushes psi away, and v is discontinuous at psi = 0. At
    psi = 0+- there are spurious one-sided equilibria: theta = -+gamma target.

    Args:
        gamma: weight of the penalty. The authors' notebook uses 0.7; the default of its class is 1.
        target: gradient norm to aim at, g0 in the notebook, which uses 1; the default of its class
            is 0.3.
    """

    label: ClassVar[str] = "WGAN-GP"
    converges: ClassVar[Printed | None] = Printed(absolutely_continuous=False, general=False)
    game: ClassVar[Field] = WGAN(clip=np.inf)


@dataclass(frozen=True)
class DRAGAN(GradientPenalty):
    """DRAGAN: the saturating game with the gradient penalty gamma/2 (|psi| - target)^2.

        v = (-psi f'(psi theta), theta f'(psi theta) - gamma (|psi| - target) sign(psi))

    Kodali et al. 2017, arXiv:1705.07215, for D(x) = psi x, whose input gradient is psi
    everywhere. v is discontinuous at psi = 0; at psi = 0+- there are spurious one-sided equilibria,
    theta = -+gamma target / a. The authors' notebook does not contain this method; the defaults are
    those of its WGAN-GP.

    Args:
        gamma: weight of the penalty.
        target: gradient norm to aim at.
    """

    label: ClassVar[str] = "DRAGAN"
    converges: ClassVar[Printed | None] = Printed(absolutely_continuous=True, general=False)
    game: ClassVar[Field] = GAN()
