"""The standard GAN with a penalty on the slope at the generated point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from gansweep.dirac.fields.field import Field, Numbers, Printed, check_finite, matrix
from gansweep.dirac.fields.logistic import SLOPE, slope


@dataclass(frozen=True)
class R2(Field):
    """The standard game with the penalty gamma/2 psi^2.

        v = (-psi f'(psi theta), theta f'(psi theta) - gamma psi)
        eigenvalues -gamma/2 +- sqrt(gamma^2/4 - a^2)

    arXiv:1801.04406, eq. 10. The slope of D(x) = psi x is psi at the generated point as at the
    real one, so this is R1's field; between distributions they differ.

    Args:
        gamma: weight of the penalty.
    """

    gamma: Numbers = 0.3
    label: ClassVar[str] = "R2"
    converges: ClassVar[Printed | None] = Printed(absolutely_continuous=True, general=True)

    def __post_init__(self) -> None:
        check_finite(gamma=self.gamma)

    def __call__(self, theta: Numbers, psi: Numbers) -> tuple[Any, Any]:
        """Return both players' directions."""
        s = slope(psi * theta)
        return -psi * s, theta * s - self.gamma * psi

    def jacobian(self) -> np.ndarray:
        """Return [[0, -a], [a, -gamma]]."""
        return matrix(((0, -SLOPE), (SLOPE, -np.asarray(self.gamma))))

    def losses(self, theta: Any, psi: Any) -> tuple[Any, Any]:
        """Return L, and -L with the penalty."""
        from torch.nn.functional import softplus

        game = -softplus(-psi * theta)
        return game, -game + self.gamma / 2 * psi**2
