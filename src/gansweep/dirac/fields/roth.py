"""Gradient penalty of Roth et al. 2017."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from gansweep.dirac.fields.field import Field, Numbers, Printed, check_finite, matrix
from gansweep.dirac.fields.logistic import SLOPE, slope


@dataclass(frozen=True)
class Roth(Field):
    """Penalty of Roth et al.: the saturating game with gamma/2 psi^2 (1/4 + p^2),   p = sigmoid(-psi theta).

        v = (-psi f'(psi theta), theta f'(psi theta) - d/dpsi penalty)
        d/dpsi penalty = gamma psi (1/4 + p^2) - gamma psi^2 theta p^2 (1 - p)
        eigenvalues -gamma/4 +- sqrt(gamma^2/16 - a^2)

    Roth et al. 2017, arXiv:1705.09367, algorithm 1: the squared gradient norm of D at a sample is weighted by
    the squared probability that D classifies the sample wrongly. It is 1/2 at the real point, where D = 0, and
    p at the generated one: here D is high on generated samples, so that the probability of "real" is
    sigmoid(-D). Mescheder et al. leave the weights out; with them twice the gamma gives the same damping.
    The authors' notebook does not contain this method.

    Args:
        gamma: weight of the penalty.
    """

    gamma: Numbers = 0.6
    label: ClassVar[str] = "gradient penalty of Roth et al."
    converges: ClassVar[Printed | None] = Printed(absolutely_continuous=True, general=True)

    def __post_init__(self) -> None:
        check_finite(gamma=self.gamma)

    def __call__(self, theta: Numbers, psi: Numbers) -> tuple[Any, Any]:
        """Return v_theta and v_psi, the update directions of both players."""
        p = slope(psi * theta)  # f'(t) = sigmoid(-t)
        damping = psi * (0.25 + p * p) - np.square(psi) * theta * p * p * (1 - p)
        return -psi * p, theta * p - self.gamma * damping

    def jacobian(self) -> np.ndarray:
        """Return [[0, -a], [a, -gamma / 2]]."""
        return matrix(((0, -SLOPE), (SLOPE, -np.asarray(self.gamma) / 2)))

    def losses(self, theta: Any, psi: Any) -> tuple[Any, Any]:
        """Return L, and -L with the penalty."""
        from torch.nn.functional import softplus

        game = -softplus(-psi * theta)
        return game, -game + self.gamma / 2 * psi**2 * (0.25 + (-psi * theta).sigmoid() ** 2)
