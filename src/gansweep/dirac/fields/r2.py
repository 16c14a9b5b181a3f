"""R2: zero-centred gradient penalty at the generated point (Mescheder et al. 2018, eq. 10)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gansweep.dirac.fields.r1 import R1


@dataclass(frozen=True)
class R2(R1):
    """R2: the standard game with the gradient penalty gamma/2 psi^2 at the generated point; same field as R1.

        v = (-psi f'(psi theta), theta f'(psi theta) - gamma psi)
        eigenvalues -gamma/2 +- sqrt(gamma^2/4 - a^2)

    arXiv:1801.04406, eq. 10. The input gradient of D(x) = psi x is psi at both points. For
    distributions the two penalties differ.

    Args:
        gamma: weight of the penalty.
    """

    label: ClassVar[str] = "R2"
