"""The standard GAN with the slope penalty that instance noise suggests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from gansweep.dirac.fields.field import Field, Numbers, Printed, check_finite, matrix
from gansweep.dirac.fields.logistic import SLOPE, sigmoid


@dataclass(frozen=True)
class Roth(Field):
    """The standard game with the penalty gamma/2 psi^2 (1/4 + sigmoid(psi theta)^2).

        v = (-psi f'(psi theta), theta f'(psi theta) - d/dpsi penalty),   q = sigmoid(psi theta)
        d/dpsi penalty = gamma psi (1/4 + q^2) + gamma psi^2 theta q^2 (1 - q)
        eigenvalues -gamma/4 +- sqrt(gamma^2/16 - a^2)

    Roth et al. 2017, arXiv:1705.09367: squared slopes weighted by how sure the
    discriminator is, at the real point (where D = 0) and at the generated one. The paper of
    the table leaves the weights out; with them it takes twice the gamma for the same damping.
    The authors' notebook does not have it.

    Args:
        gamma: weight of the penalty.
    """

    gamma: Numbers = 0.6
    label: ClassVar[str] = "gradient penalty of Roth et al."
    converges: ClassVar[Printed | None] = Printed(absolutely_continuous=True, general=True)

    def __post_init__(self) -> None:
        check_finite(gamma=self.gamma)

    def __call__(self, theta: Numbers, psi: Numbers) -> tuple[Any, Any]:
        """Return both players' directions."""
        q = sigmoid(psi * theta)
        damping = psi * (0.25 + q * q) + np.square(psi) * theta * q * q * (1 - q)
        return -psi * (1 - q), theta * (1 - q) - self.gamma * damping

    def jacobian(self) -> np.ndarray:
        """Return [[0, -a], [a, -gamma / 2]]."""
        return matrix(((0, -SLOPE), (SLOPE, -np.asarray(self.gamma) / 2)))

    def losses(self, theta: Any, psi: Any) -> tuple[Any, Any]:
        """Return L, and -L with the penalty."""
        from torch.nn.functional import softplus

        game = -softplus(-psi * theta)
        return game, -game + self.gamma / 2 * psi**2 * (0.25 + (psi * theta).sigmoid() ** 2)
