"""Base class of the training methods on the Dirac-GAN, and the functions of their formulas.

The data is a point at 0, the generator a point at theta, and the discriminator is D(x) = psi x:

    L(theta, psi) = f(psi theta) + f(0),   f(t) = -log(1 + e^-t), or f(t) = t for WGAN

psi maximizes L and theta minimizes it; (0, 0) is the only equilibrium. Mescheder, Geiger and
Nowozin 2018, arXiv:1801.04406, section 2.

theta, psi and every hyperparameter of a method may be arrays that broadcast. One call then
evaluates many games with different settings.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

Numbers = float | np.ndarray
"""A number, or an array with one number per game."""

F_PRIME = 0.5
"""f'(0), the `a` of the formulas."""
F_SECOND = -0.25
"""f''(0)."""


class Printed(NamedTuple):
    """Local convergence of a method according to table 1 of the paper.

    Args:
        absolutely_continuous: for data and generator distributions with densities.
        general: for all distributions, including points.
    """

    absolutely_continuous: bool
    general: bool


class Field:
    """Training method: the gradient vector field v, the update direction of each player.

    `label` is its row in table 1 of the paper, `converges` the content of that row; None where the
    table has no such row.
    """

    label: ClassVar[str]
    converges: ClassVar[Printed | None] = None

    def __call__(self, theta: Numbers, psi: Numbers) -> tuple[Any, Any]:
        """Return v_theta and v_psi, the negative gradients of the two losses."""
        raise NotImplementedError

    def jacobian(self) -> np.ndarray | None:
        """Return dv / d(theta, psi) at the equilibrium, (..., 2, 2); None if v is discontinuous."""
        raise NotImplementedError

    def losses(self, theta: Any, psi: Any) -> tuple[Any, Any]:
        """Return the losses of generator and discriminator, both minimized, for torch tensors."""
        raise NotImplementedError

    def project(self, psi: Numbers) -> Any:
        """Return the nearest psi in the method's constraint set; applied after each step of psi."""
        return psi


def f_prime(t: Any) -> Any:
    """Return f'(t) = sigmoid(-t) for f(t) = -log(1 + e^-t), also where e^t overflows."""
    # scipy's expit takes four times as long, because it is not vectorized (SIMD).
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(t))


def f_second(t: Any) -> Any:
    """Return f''(t) = -sigmoid(t) sigmoid(-t)."""
    s = f_prime(t)
    return -s * (1 - s)


def matrix(rows: tuple[tuple[ArrayLike, ArrayLike], tuple[ArrayLike, ArrayLike]]) -> np.ndarray:
    """Return matrices (..., 2, 2) of four numbers or arrays that broadcast.

    >>> matrix(((0, 1), (2, [3, 4])))[1].tolist()
    [[0.0, 1.0], [2.0, 4.0]]
    """
    entries = np.broadcast_arrays(*(np.asarray(entry, dtype=np.float64) for row in rows for entry in row))
    return np.stack(entries, axis=-1).reshape(*entries[0].shape, 2, 2)


def check_finite(**settings: Numbers) -> None:
    """Raise ValueError for a setting with a value that is not finite."""
    for name, value in settings.items():
        if not np.all(np.isfinite(value)):
            raise ValueError(f"{name}={value}: expected a finite number")


def check_at_least_zero(**settings: Numbers) -> None:
    """Raise ValueError for a setting that is negative or not finite."""
    check_finite(**settings)
    for name, value in settings.items():
        if not np.all(np.asarray(value) >= 0):
            raise ValueError(f"{name}={value}: expected a number >= 0")
