"""WGAN-GP: gradient penalty with a target norm (Gulrajani et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from gansweep.dirac.fields.field import Field, Numbers, Printed, check_finite


@dataclass(frozen=True)
class WGANGP(Field):
    """WGAN-GP: the linear game f(t) = t with the gradient penalty gamma/2 (|psi| - target)^2.

        v = (-psi, theta - gamma (|psi| - target) sign(psi)),   sign(0) = 0

    Gulrajani et al. 2017, arXiv:1704.00028; arXiv:1801.04406, section 3.1. At the equilibrium
    the input gradient is 0, so the penalty pushes psi away, and v is discontinuous at psi = 0. At
    psi = 0+- there are spurious one-sided equilibria: theta = -+gamma target.

    Args:
        gamma: weight of the penalty. The authors' notebook uses 0.7; the default of its class is 1.
        target: gradient norm to aim at, g0 in the notebook, which uses 1; the default of its class is 0.3.
    """

    gamma: Numbers = 0.7
    target: Numbers = 1.0
    label: ClassVar[str] = "WGAN-GP"
    converges: ClassVar[Printed | None] = Printed(absolutely_continuous=False, general=False)

    def __post_init__(self) -> None:
        check_finite(gamma=self.gamma, target=self.target)

    def __call__(self, theta: Numbers, psi: Numbers) -> tuple[Any, Any]:
        """Return v_theta and v_psi, the update directions of both players."""
        return -psi, theta - self.gamma * (abs(psi) - self.target) * np.sign(psi)

    def jacobian(self) -> None:
        """Return None: v is discontinuous at psi = 0."""

    def losses(self, theta: Any, psi: Any) -> tuple[Any, Any]:
        """Return psi theta, and its negative with the penalty."""
        return psi * theta, -psi * theta + self.gamma / 2 * (abs(psi) - self.target) ** 2
