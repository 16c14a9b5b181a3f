"""R1: zero-centred gradient penalty at the real point (Mescheder et al. 2018, eq. 9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from gansweep.dirac.fields.field import Field, Numbers, Printed, check_finite, matrix
from gansweep.dirac.fields.logistic import SLOPE, slope


@dataclass(frozen=True)
class R1(Field):
    """R1: the standard game with the gradient penalty gamma/2 psi^2 at the real point.

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

    def __post_init__(self) -> None:
        check_finite(gamma=self.gamma)

    def __call__(self, theta: Numbers, psi: Numbers) -> tuple[Any, Any]:
        """Return v_theta and v_psi, the update directions of both players."""
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
