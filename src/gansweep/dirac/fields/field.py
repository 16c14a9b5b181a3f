"""What every training method of the Dirac-GAN answers.

Data are a point at 0, the generator is a point at theta, the discriminator is D(x) = psi x:

    L(theta, psi) = f(psi theta) + f(0),   f(t) = -log(1 + e^-t), or f(t) = t for WGAN

psi climbs L and theta descends it; both at 0 is the only equilibrium. Mescheder, Geiger and
Nowozin 2018, arXiv:1801.04406, section 2.

theta, psi and every number of a method may be arrays of any shapes that broadcast: one call
moves as many games, with as many settings, as there are entries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Numbers = float | np.ndarray
"""One number, or one for every game."""


class Printed(NamedTuple):
    """Whether the paper's table 1 says that a method converges locally.

    Args:
        absolutely_continuous: where data and generator have densities.
        general: for all distributions, points among them.
    """

    absolutely_continuous: bool
    general: bool


class Field:
    """A training method: the direction in which each player moves.

    `label` is its row in the paper's table 1, `converges` what that row says; None where the
    table has no such row.
    """

    label: ClassVar[str]
    converges: ClassVar[Printed | None] = None

    def __call__(self, theta: Numbers, psi: Numbers) -> tuple[Any, Any]:
        """Return v_theta and v_psi."""
        raise NotImplementedError

    def jacobian(self) -> np.ndarray | None:
        """Return dv / d(theta, psi) at the equilibrium, (..., 2, 2); None where v jumps there."""
        raise NotImplementedError

    def losses(self, theta: Any, psi: Any) -> tuple[Any, Any]:
        """Score two torch tensors as the generator and as the discriminator, who each descend."""
        raise NotImplementedError

    def project(self, psi: Numbers) -> Any:
        """Return the nearest psi that the method allows; called after each of its steps."""
        return psi


def matrix(rows: tuple[tuple[ArrayLike, ArrayLike], tuple[ArrayLike, ArrayLike]]) -> np.ndarray:
    """Stack four numbers, or arrays that broadcast, as matrices (..., 2, 2).

    >>> matrix(((0, 1), (2, [3, 4])))[1].tolist()
    [[0.0, 1.0], [2.0, 4.0]]
    """
    entries = np.broadcast_arrays(*(np.asarray(entry, dtype=np.float64) for row in rows for entry in row))
    return np.stack(entries, axis=-1).reshape(*entries[0].shape, 2, 2)


def check_finite(**settings: Numbers) -> None:
    """Raise ValueError for a setting that is not a number, or not all numbers."""
    for name, value in settings.items():
        if not np.all(np.isfinite(value)):
            raise ValueError(f"{name}={value}: expected a finite number")


def check_at_least_zero(**settings: Numbers) -> None:
    """Raise ValueError for a setting below 0."""
    check_finite(**settings)
    for name, value in settings.items():
        if not np.all(np.asarray(value) >= 0):
            raise ValueError(f"{name}={value}: expected a number >= 0")
