"""Non-saturating GAN (Goodfellow et al. 2014)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from gansweep.dirac.fields.field import Field, Numbers, matrix
from gansweep.dirac.fields.logistic import SLOPE, slope


@dataclass(frozen=True)
class NonSaturating(Field):
    """Non-saturating GAN. It converges to the equilibrium, but slower than linearly.

        v = (-psi f'(-psi theta), theta f'(psi theta)),   eigenvalues +- i a

    arXiv:1801.04406, section 2; it has no row in table 1. In continuous time
    d(r^2)/dt = -2 theta psi tanh(theta psi / 2), so that r is asymptotically sqrt(8 / t).
    """

    label: ClassVar[str] = "non-saturating"

    def __call__(self, theta: Numbers, psi: Numbers) -> tuple[Any, Any]:
        """Return v_theta and v_psi, the update directions of both players."""
        s = slope(psi * theta)
        return -psi * (1 - s), theta * s

    def jacobian(self) -> np.ndarray:
        """Return [[0, -a], [a, 0]], the same as for the saturating game."""
        return matrix(((0, -SLOPE), (SLOPE, 0)))

    def losses(self, theta: Any, psi: Any) -> tuple[Any, Any]:
        """Return -f(-psi theta) and -f(psi theta)."""
        from torch.nn.functional import softplus

        return softplus(psi * theta), softplus(-psi * theta)
