"""The Wasserstein GAN with a penalty on slopes other than one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from gansweep.dirac.fields.field import Field, Numbers, Printed, check_finite


@dataclass(frozen=True)
class WGANGP(Field):
    """The linear game with the penalty gamma/2 (|psi| - target)^2.

        v = (-psi, theta - gamma (|psi| - target) sign(psi)),   sign(0) = 0

    Gulrajani et al. 2017, arXiv:1704.00028; arXiv:1801.04406, section 3.1. At the equilibrium
    the discriminator is flat, so the penalty pushes it away, and v jumps at psi = 0. Next to
    psi = 0 there are false points of rest, seen from one side: theta = -+gamma target.

    Args:
        gamma: weight of the penalty. The authors' notebook draws 0.7, its class has 1.
        target: the slope asked for, their g0. The notebook draws 1, its class has 0.3.
    """

    gamma: Numbers = 0.7
    target: Numbers = 1.0
    label: ClassVar[str] = "WGAN-GP"
    converges: ClassVar[Printed | None] = Printed(absolutely_continuous=False, general=False)

    def __post_init__(self) -> None:
        check_finite(gamma=self.gamma, target=self.target)

    def __call__(self, theta: Numbers, psi: Numbers) -> tuple[Any, Any]:
        """Return both players' directions."""
        return -psi, theta - self.gamma * (abs(psi) - self.target) * np.sign(psi)

    def jacobian(self) -> None:
        """Return None: v jumps at psi = 0."""

    def losses(self, theta: Any, psi: Any) -> tuple[Any, Any]:
        """Return psi theta, and its negative with the penalty."""
        return psi * theta, -psi * theta + self.gamma / 2 * (abs(psi) - self.target) ** 2
