"""Penalties on the squared gradient norm: R1, R2 and the penalty of Roth et al. 2017.

Each is added to the discriminator's loss of one of the games in `gansweep.dirac.fields.gan`. The
input gradient of D(x) = psi x is psi everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from gansweep.dirac.fields.field import F_PRIME, Field, Numbers, Printed, check_finite, f_prime, matrix
from gansweep.dirac.fields.gan import GAN, NonSaturating


@dataclass(frozen=True)
class R1(Field):
    """R1: the saturating game with the gradient penalty gamma/2 psi^2 at the real point.

        v = (-psi f'(psi theta), theta f'(psi theta) - gamma psi)
        eigenvalues -gamma/2 +- sqrt(gamma^2/4 - a^2)

    arXiv:1801.04406, eq. 9 and section 3.3. At gamma = 2a = 1 the eigenvalues become real and
    convergence is fastest; with gamma < 0 the game diverges.

    Args:
        gamma: weight of the penalty. The authors' notebook uses 0.3 and 1.
    """

    gamma: Numbers = 0.3
    label: ClassVar[str] = "R1"
    converges: ClassVar[Printed | None] = Printed(absolutely_continuous=True, general=True)
    game: ClassVar[Field] = GAN()

    def __post_init__(self) -> None:
        check_finite(gamma=self.gamma)

    def __call__(self, theta: Numbers, psi: Numbers) -> tuple[Any, Any]:
        """Return v_theta and v_psi, the update directions of both players."""
        v_theta, v_psi = self.game(theta, psi)
        return v_theta, v_psi - self.gamma * psi

    def jacobian(self) -> np.ndarray:
        """Return [[0, -a], [a, -gamma]]."""
        return matrix(((0, -F_PRIME), (F_PRIME, -np.asarray(self.gamma))))

    def losses(self, theta: Any, psi: Any) -> tuple[Any, Any]:
        """Return the losses of the game, that of the discriminator with the penalty."""
        loss_g, loss_d = self.game.losses(theta, psi)
        return loss_g, loss_d + self.gamma / 2 * psi**2


@dataclass(frozen=True)
class R2(R1):
    """R2: the gradient penalty gamma/2 psi^2 at the generated point; the same field as R1.

        v = (-psi f'(psi theta), theta f'(psi theta) - gamma psi)
        eigenvalues -gamma/2 +- sqrt(gamma^2/4 - a^2)

    arXiv:1801.04406, eq. 10. The input gradient of D(x) = psi x is psi at both points. For
    distributions the two penalties differ.

    Args:
        gamma: weight of the penalty.
    """

    label: ClassVar[str] = "R2"


@dataclass(frozen=True)
class NonSaturatingR1(R1):
    """Non-saturating GAN with R1: gradient penalty gamma/2 psi^2 at the real point.

        v = (-psi f'(-psi theta), theta f'(psi theta) - gamma psi)
        eigenvalues -gamma/2 +- sqrt(gamma^2/4 - a^2), as for R1

    The last method of the authors' notebook; it has no row in table 1.

    Args:
        gamma: weight of the penalty.
    """

    label: ClassVar[str] = "non-saturating with R1"
    converges: ClassVar[Printed | None] = None
    game: ClassVar[Field] = NonSaturating()


@dataclass(frozen=True)
class Roth(Field):
    """Penalty of Roth et al.: gamma/2 psi^2 (1/4 + p^2),   p = sigmoid(-psi theta).

        v = (-psi f'(psi theta), theta f'(psi theta) - d/dpsi penalty)
        d/dpsi penalty = gamma psi (1/4 + p^2) - gamma psi^2 theta p^2 (1 - p)
        eigenvalues -gamma/4 +- sqrt(gamma^2/16 - a^2)

    Roth et al. 2017, arXiv:1705.09367, algorithm 1: the squared gradient norm of D at a sample is
    weighted by the squared probability that D classifies the sample wrongly. It is 1/2 at the real
    point, where D = 0, and p at the generated one: here D is high on generated samples, so that the
    probability of "real" is sigmoid(-D). Mescheder et al. leave the weights out; with them twice
    the gamma gives the same damping. The authors' notebook does not contain this method.

    Args:
        gamma: weight of the penalty.
    """

    gamma: Numbers = 0.6
    label: ClassVar[str] = "gradient penalty of Roth et al."
    converges: ClassVar[Printed | None] = Printed(absolutely_continuous=True, general=True)

    def __post_init__(self) -> None:
        check_finite(gamma=self.gamma)

    def __call__(self, theta: Numbers, psi: Numbers) -> tuple[Any, Any]:
        """Return v_theta and v_psi, the update directions of both players."""
        p = f_prime(psi * theta)  # f'(t) = sigmoid(-t)
        damping = psi * (0.25 + p * p) - np.square(psi) * theta * p * p * (1 - p)
        return -psi * p, theta * p - self.gamma * damping

    def jacobian(self) -> np.ndarray:
        """Return [[0, -a], [a, -gamma / 2]]."""
        return matrix(((0, -F_PRIME), (F_PRIME, -np.asarray(self.gamma) / 2)))

    def losses(self, theta: Any, psi: Any) -> tuple[Any, Any]:
        """Return L, and -L with the penalty."""
        loss_g, loss_d = GAN().losses(theta, psi)
        return loss_g, loss_d + self.gamma / 2 * psi**2 * (0.25 + (-psi * theta).sigmoid() ** 2)
