"""The three losses without a penalty: saturating GAN, non-saturating GAN and WGAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from gansweep.dirac.fields.field import F_PRIME, Field, Numbers, Printed, f_prime, matrix


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
        s = f_prime(psi * theta)
        return -psi * s, theta * s

    def jacobian(self) -> np.ndarray | None:
        """Return [[0, -a], [a, 0]]."""
        return matrix(((0, -F_PRIME), (F_PRIME, 0)))

    def losses(self, theta: Any, psi: Any) -> tuple[Any, Any]:
        """Return L and -L."""
        from torch.nn.functional import softplus

        game = -softplus(-psi * theta)
        return game, -game


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
        s = f_prime(psi * theta)
        return -psi * (1 - s), theta * s

    def jacobian(self) -> np.ndarray:
        """Return [[0, -a], [a, 0]], the same as for the saturating game."""
        return matrix(((0, -F_PRIME), (F_PRIME, 0)))

    def losses(self, theta: Any, psi: Any) -> tuple[Any, Any]:
        """Return -f(-psi theta) and -f(psi theta)."""
        from torch.nn.functional import softplus

        return softplus(psi * theta), softplus(-psi * theta)


@dataclass(frozen=True)
class WGAN(Field):
    """WGAN: the linear game f(t) = t with psi clipped to [-clip, clip].

        v = (-psi, theta),  then psi <- min(max(psi, -clip), clip),   eigenvalues +- i

    Arjovsky et al. 2017, arXiv:1701.07875, algorithm 1; arXiv:1801.04406, section 3.1. Clipping
    is inactive near the equilibrium.

    Args:
        clip: largest |psi|; inf for no clipping. The authors' notebook uses 1; the default of its
            class is 0.3.
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
