"""Continuous-time training: solutions of the gradient flow."""

from __future__ import annotations

import numpy as np

from gansweep.dirac.descent import Pair
from gansweep.dirac.fields.field import Field, Numbers


def flow(field: Field, start: tuple[float, float], times: np.ndarray, tolerance: float = 1e-10) -> np.ndarray:
    """Return the solution (T, 2) of d(theta, psi)/dt = v from `start` at time 0.

    Uses scipy's adaptive DOP853, which requires a smooth v. For a method with a projection or a
    discontinuity use `runge_kutta`.

    Args:
        field: the training method, v.
        start: theta and psi.
        times: (T,), non-decreasing.
        tolerance: relative error of a step; the absolute one is tolerance^1.5.

    Raises:
        ValueError: the field is not smooth, or it has a projection.
    """
    from scipy.integrate import solve_ivp

    if field.jacobian() is None or field.project(1e9) != 1e9:
        raise ValueError(f"field={field}: expected a smooth field without a projection; use runge_kutta")
    solved = solve_ivp(
        lambda _, z: np.array(field(z[0], z[1])),
        (0.0, float(times[-1])),
        start,
        method="DOP853",
        t_eval=times,
        rtol=tolerance,
        atol=tolerance**1.5,
    )
    return solved.y.T


def runge_kutta(field: Field, start: Pair, step_size: Numbers, num_steps: int) -> np.ndarray:
    """Return the start and `num_steps` classical Runge-Kutta steps, (num_steps + 1, 2, ...).

    Vectorized over games. The projection of the method is applied after each step.

    Args:
        field: the training method.
        start: theta and psi, each a number or an array of games.
        step_size: time per step, a number or an array of games.
        num_steps: number of steps.

    Raises:
        ValueError: num_steps is below 1.
    """
    if num_steps < 1:
        raise ValueError(f"num_steps={num_steps}: expected a whole number >= 1")
    z = np.array(np.broadcast_arrays(*start), dtype=np.float64)
    positions = [z]

    def v(position: np.ndarray) -> np.ndarray:
        return np.array(np.broadcast_arrays(*field(*position)))

    for _ in range(num_steps):
        k1 = v(z)
        k2 = v(z + step_size / 2 * k1)
        k3 = v(z + step_size / 2 * k2)
        k4 = v(z + step_size * k3)
        theta, psi = z + step_size / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        z = np.array([theta, field.project(psi)])
        positions.append(z)
    return np.array([np.broadcast_to(position, z.shape) for position in positions])
