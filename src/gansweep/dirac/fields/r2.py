"""The standard GAN with a penalty on the slope at the generated point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gansweep.dirac.fields.r1 import R1


@dataclass(frozen=True)
class R2(R1):
    """The standard game with the penalty gamma/2 psi^2, which has R1's field.

        v = (-psi f'(psi theta), theta f'(psi theta) - gamma psi)
        eigenvalues -gamma/2 +- sqrt(gamma^2/4 - a^2)

    arXiv:1801.04406, eq. 10. The slope of D(x) = psi x is psi at the generated point as at the
    real one; between distributions the two differ.

    Args:
        gamma: weight of the penalty.
    """

    label: ClassVar[str] = "R2"
