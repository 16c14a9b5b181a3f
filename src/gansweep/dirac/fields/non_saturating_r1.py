"""Non-saturating GAN with R1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from gansweep.dirac.fields.field import Field, Numbers, check_finite, matrix
from gansweep.dirac.fields.logistic import SLOPE, slope


@dataclass(frozen=True)
class NonSaturatingR1(Field):
    """Non-saturating GAN with R1: gradient penalty gamma/2 psi^2 at the real point.

        v = (-psi f'(-psi theta), theta f'(psi theta) - gamma psi)
        eigenvalues -gamma/2 +- sqrt(gamma^2/4 - a^2), as for R1

    The last method of the authors' notebook; it has no row in table 1.

    Args:
        gamma: weight of the penalty.
    """

    gamma: Numbers = 0.3
    label: ClassVar[str] = "non-saturating with R1"

    def __post_init__(self) -> None:
        check_finite(gamma=self.gamma)

    def __call__(self, theta: Numbers, psi: Numbers) -> tuple[Any, Any]:
        """Return v_theta and v_psi, the update directions of both players."""
        s = slope(psi * theta)
        return -psi * (1 - s), theta * s - self.gamma * psi

    def jacobian(self) -> np.ndarray:
        """Return [[0, -a], [a, -gamma]]."""
        return matrix(((0, -SLOPE), (SLOPE, -np.asarray(self.gamma))))

    def losses(self, theta: Any, psi: Any) -> tuple[Any, Any]:
        """Return -f(-psi theta), and -f(psi theta) with the penalty."""
        from torch.nn.functional import softplus

        return softplus(psi * theta), softplus(-psi * theta) + self.gamma / 2 * psi**2
