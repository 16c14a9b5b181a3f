"""DRAGAN: gradient penalty with a target norm (Kodali et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from gansweep.dirac.fields.field import Field, Numbers, Printed, check_finite
from gansweep.dirac.fields.logistic import slope


@dataclass(frozen=True)
class DRAGAN(Field):
    """DRAGAN: the standard game with the gradient penalty gamma/2 (|psi| - target)^2.

        v = (-psi f'(psi theta), theta f'(psi theta) - gamma (|psi| - target) sign(psi))

    Kodali et al. 2017, arXiv:1705.07215, for D(x) = psi x, whose input gradient is psi
    everywhere. v is discontinuous at psi = 0; at psi = 0+- there are spurious one-sided equilibria,
    theta = -+gamma target / a. The authors' notebook does not contain this method; the defaults are
    those of its WGAN-GP.

    Args:
        gamma: weight of the penalty.
        target: gradient norm to aim at.
    """

    gamma: Numbers = 0.7
    target: Numbers = 1.0
    label: ClassVar[str] = "DRAGAN"
    converges: ClassVar[Printed | None] = Printed(absolutely_continuous=True, general=False)

    def __post_init__(self) -> None:
        check_finite(gamma=self.gamma, target=self.target)

    def __call__(self, theta: Numbers, psi: Numbers) -> tuple[Any, Any]:
        """Return v_theta and v_psi, the update directions of both players."""
        s = slope(psi * theta)
        return -psi * s, theta * s - self.gamma * (abs(psi) - self.target) * np.sign(psi)

    def jacobian(self) -> None:
        """Return None: v is discontinuous at psi = 0."""

    def losses(self, theta: Any, psi: Any) -> tuple[Any, Any]:
        """Return L, and -L with the penalty."""
        from torch.nn.functional import softplus

        game = -softplus(-psi * theta)
        return game, -game + self.gamma / 2 * (abs(psi) - self.target) ** 2
