"""WGAN with weight clipping (Arjovsky et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from gansweep.dirac.fields.field import Field, Numbers, Printed, matrix


@dataclass(frozen=True)
class WGAN(Field):
    """WGAN: the linear game f(t) = t with psi clipped to [-clip, clip].

        v = (-psi, theta),  then psi <- min(max(psi, -clip), clip),   eigenvalues +- i

    Arjovsky et al. 2017, arXiv:1701.07875, algorithm 1; arXiv:1801.04406, section 3.1. Clipping
    is inactive near the equilibrium.

    Args:
        clip: largest |psi|; inf for no clipping. The authors' notebook uses 1; the default of its class is 0.3.
    """

    clip: Numbers = 1.0
    label: ClassVar[str] = "WGAN"
    converges: ClassVar[Printed | None] = Printed(absolutely_continuous=False, general=False)

    def __post_init__(self) -> None:
        if not np.all(np.asarray(self.clip) > 0):
            raise ValueError(f"clip={self.clip}: expected a number > 0")

    def __call__(self, theta: Numbers, psi: Numbers) -> tuple[Any, Any]:
        """Return v_theta and v_psi, the update directions of both players."""
        return -psi, theta + 0.0

    def jacobian(self) -> np.ndarray:
        """Return [[0, -1], [1, 0]]."""
        return matrix(((0, -1), (1, 0)))

    def losses(self, theta: Any, psi: Any) -> tuple[Any, Any]:
        """Return psi theta and its negative."""
        return psi * theta, -psi * theta

    def project(self, psi: Numbers) -> Any:
        """Return psi clipped to [-clip, clip]."""
        return np.clip(psi, -self.clip, self.clip)
