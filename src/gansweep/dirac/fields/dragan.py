"""The standard GAN with a penalty on slopes other than one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from gansweep.dirac.fields.field import Field, Numbers, Printed, check_finite
from gansweep.dirac.fields.logistic import slope


@dataclass(frozen=True)
class DRAGAN(Field):
    """The standard game with the penalty gamma/2 (|psi| - target)^2.

        v = (-psi f'(psi theta), theta f'(psi theta) - gamma (|psi| - target) sign(psi))

    Kodali et al. 2017, arXiv:1705.07215, for D(x) = psi x, whose slope is psi wherever it is
    taken. v jumps at psi = 0; next to it theta = -+gamma target / a rests, seen from one side.
    The authors' notebook does not have it; the defaults are those of its WGAN-GP.

    Args:
        gamma: weight of the penalty.
        target: the slope asked for.
    """

    gamma: Numbers = 0.7
    target: Numbers = 1.0
    label: ClassVar[str] = "DRAGAN"
    converges: ClassVar[Printed | None] = Printed(absolutely_continuous=True, general=False)

    def __post_init__(self) -> None:
        check_finite(gamma=self.gamma, target=self.target)

    def __call__(self, theta: Numbers, psi: Numbers) -> tuple[Any, Any]:
        """Return both players' directions."""
        s = slope(psi * theta)
        return -psi * s, theta * s - self.gamma * (abs(psi) - self.target) * np.sign(psi)

    def jacobian(self) -> None:
        """Return None: v jumps at psi = 0."""

    def losses(self, theta: Any, psi: Any) -> tuple[Any, Any]:
        """Return L, and -L with the penalty."""
        from torch.nn.functional import softplus

        game = -softplus(-psi * theta)
        return game, -game + self.gamma / 2 * (abs(psi) - self.target) ** 2
