"""The GAN with the generator's loss that is used in practice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from gansweep.dirac.fields.field import Field, Numbers, matrix
from gansweep.dirac.fields.logistic import SLOPE, slope


@dataclass(frozen=True)
class NonSaturating(Field):
    """The non-saturating game. It approaches the equilibrium, but slower than any linear rate.

        v = (-psi f'(-psi theta), theta f'(psi theta)),   eigenvalues +- i a

    arXiv:1801.04406, section 2; it has no row in table 1. In continuous time
    d(r^2)/dt = -2 theta psi tanh(theta psi / 2), so that r goes as sqrt(8 / t).
    """

    label: ClassVar[str] = "non-saturating"

    def __call__(self, theta: Numbers, psi: Numbers) -> tuple[Any, Any]:
        """Return both players' directions."""
        s = slope(psi * theta)
        return -psi * (1 - s), theta * s

    def jacobian(self) -> np.ndarray:
        """Return [[0, -a], [a, 0]], that of the saturating game."""
        return matrix(((0, -SLOPE), (SLOPE, 0)))

    def losses(self, theta: Any, psi: Any) -> tuple[Any, Any]:
        """Return -f(-psi theta) and -f(psi theta)."""
        from torch.nn.functional import softplus

        return softplus(psi * theta), softplus(-psi * theta)
