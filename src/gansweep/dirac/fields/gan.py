"""Saturating GAN without regularisation (Goodfellow et al. 2014)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from gansweep.dirac.fields.field import Field, Numbers, Printed, matrix
from gansweep.dirac.fields.logistic import SLOPE, slope


@dataclass(frozen=True)
class GAN(Field):
    """Saturating GAN. It rotates around the equilibrium without converging.

        v = (-psi f'(psi theta), theta f'(psi theta)),   eigenvalues +- i a,  a = f'(0) = 1/2

    Goodfellow et al. 2014; arXiv:1801.04406, section 2. In continuous time theta^2 + psi^2
    is constant.
    """

    label: ClassVar[str] = "unregularised"
    converges: ClassVar[Printed | None] = Printed(absolutely_continuous=True, general=False)

    def __call__(self, theta: Numbers, psi: Numbers) -> tuple[Any, Any]:
        """Return v_theta and v_psi, the update directions of both players."""
        s = slope(psi * theta)
        return -psi * s, theta * s

    def jacobian(self) -> np.ndarray:
        """Return [[0, -a], [a, 0]]."""
        return matrix(((0, -SLOPE), (SLOPE, 0)))

    def losses(self, theta: Any, psi: Any) -> tuple[Any, Any]:
        """Return L and -L."""
        from torch.nn.functional import softplus

        game = -softplus(-psi * theta)
        return game, -game
