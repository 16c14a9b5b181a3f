"""Consensus optimisation (Mescheder et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from gansweep.dirac.fields.field import F_PRIME, Field, Numbers, Printed, check_finite, f_prime, matrix
from gansweep.dirac.fields.gan import GAN


@dataclass(frozen=True)
class Consensus(Field):
    """Consensus optimisation: gamma/2 |v|^2 added to both losses; v is the standard field.

        d/dtheta |v|^2 / 2 = theta f'^2 + psi (theta^2 + psi^2) f' f''
        d/dpsi   |v|^2 / 2 = psi f'^2 + theta (theta^2 + psi^2) f' f''
        eigenvalues -gamma a^2 +- i a

    Mescheder et al. 2017, arXiv:1705.10461. The authors' notebook halves the second terms. This
    keeps the eigenvalues but changes the field away from 0: with alternating 1:5 steps of 0.2 from
    (1, 1), the gradient above diverges and the notebook's field converges.

    Args:
        gamma: weight of the penalty. The authors' notebook uses 1; the default of its class is 0.3.
        as_coded: whether to halve the second terms, as in the notebook.
    """

    gamma: Numbers = 1.0
    as_coded: bool = False
    label: ClassVar[str] = "consensus optimisation"
    converges: ClassVar[Printed | None] = Printed(absolutely_continuous=True, general=True)

    def __post_init__(self) -> None:
        check_finite(gamma=self.gamma)

    def __call__(self, theta: Numbers, psi: Numbers) -> tuple[Any, Any]:
        """Return v_theta and v_psi, the update directions of both players."""
        s = f_prime(psi * theta)
        cross = (np.square(theta) + np.square(psi)) * s * s * (s - 1) * (0.5 if self.as_coded else 1.0)
        v_theta = -psi * s - self.gamma * (theta * s * s + psi * cross)
        return v_theta, theta * s - self.gamma * (psi * s * s + theta * cross)

    def jacobian(self) -> np.ndarray:
        """Return [[-gamma a^2, -a], [a, -gamma a^2]]."""
        pull = -self.gamma * F_PRIME**2
        return matrix(((pull, -F_PRIME), (F_PRIME, pull)))

    def losses(self, theta: Any, psi: Any) -> tuple[Any, Any]:
        """Return L and -L, each with gamma/2 |v|^2 over the gradients of both players."""
        if self.as_coded:
            raise ValueError(
                f"as_coded={self.as_coded}: expected false; the notebook's field is not the gradient of a loss"
            )
        import torch

        game, _ = GAN().losses(theta, psi)
        v = torch.autograd.grad(game, (theta, psi), create_graph=True)
        regularizer = self.gamma / 2 * (v[0] ** 2 + v[1] ** 2)
        return game + regularizer, -game + regularizer
