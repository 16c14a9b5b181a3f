"""Eigenvalues of the linearized game and learning rate bounds.

Continuous-time training converges if all eigenvalues of J have real part below 0. A discrete algorithm
converges if all eigenvalues of its matrix have modulus below 1; the largest modulus is the factor per
step. With real part 0, or modulus 1, there is no linear rate, and higher orders decide.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gansweep.dirac.descent import Algorithm, Pair
from gansweep.dirac.fields.field import Field, Numbers


def eigenvalues(jacobian: np.ndarray) -> NDArray[np.complex128]:
    """Return the eigenvalues t/2 +- sqrt(t^2/4 - d) of matrices (..., 2, 2), complex (..., 2), plus sign first.

    t is the trace and d the determinant. At a double eigenvalue this is more accurate than an
    iterative method.
    """
    half = (jacobian[..., 0, 0] + jacobian[..., 1, 1]) / 2
    # (t/2)^2 - d, written so that the two large terms do not cancel.
    difference = (jacobian[..., 0, 0] - jacobian[..., 1, 1]) / 2
    root = np.sqrt((difference**2 + jacobian[..., 0, 1] * jacobian[..., 1, 0]).astype(np.complex128))
    return np.stack([half + root, half - root], axis=-1).astype(np.complex128)


def moduli(algorithm: Algorithm, jacobian: np.ndarray, rate: Numbers | Pair) -> np.ndarray:
    """Return the eigenvalue moduli of the algorithm's matrix, largest first (..., n)."""
    matrix = algorithm.matrix(jacobian, rate)
    found = eigenvalues(matrix) if matrix.shape[-1] == 2 else np.linalg.eigvals(matrix)
    return np.sort(np.abs(found), axis=-1)[..., ::-1]


def largest_simultaneous_rate(jacobian: np.ndarray) -> np.ndarray:
    """Return the rate (...) below which simultaneous gradient descent converges; 0 if there is none.

    min over lambda of -2 Re(lambda) / |lambda|^2
    """
    found = eigenvalues(jacobian)
    return np.maximum(0.0, (-2 * found.real / np.abs(found) ** 2).min(-1))


def largest_alternating_rate(jacobian: np.ndarray) -> np.ndarray:
    """Return the rate (...) above which alternating 1:1 gradient descent is unstable.

    The matrix has the trace 2 + h (p + q) + h^2 b c and the determinant (1 + h p)(1 + h q), for
    J = [[p, b], [c, q]]. It is stable if |trace| < 1 + determinant < 2 (Jury). With increasing rate,
    the first violated bound is one of

        1 + trace + determinant = 4 + 2 h (p + q) + h^2 (p q + b c) = 0
        determinant = 1:  h = -(p + q) / (p q)

    0 where p + q > 0 or p q - b c < 0. Where p + q = 0 and p q = 0, all moduli are 1 up to this rate.
    """
    p, b, c, q = (jacobian[..., i, j] for i in (0, 1) for j in (0, 1))
    damping, square = p + q, p * q + b * c
    with np.errstate(divide="ignore", invalid="ignore"):
        determinant_bound = np.where(p * q > 0, -damping / (p * q), np.inf)
        # The smallest positive root of 4 + 2 damping h + square h^2.
        root = np.sqrt(np.maximum(damping**2 - 4 * square, 0.0))
        rates = np.stack([4 / (-damping + root), 4 / (-damping - root)])
        rates = np.where((rates > 0) & (damping**2 >= 4 * square), rates, np.inf)
    bound = np.minimum(rates.min(0), determinant_bound)
    return np.where((damping > 0) | (p * q - b * c < 0), 0.0, bound)


def rates_to_steps(modulus: Any) -> Any:
    """Return the number of steps for a reduction by 10 at a factor per step; inf where it is not below 1."""
    with np.errstate(divide="ignore"):
        return np.where(np.asarray(modulus) < 1, -1 / np.log10(modulus), np.inf)


def autograd_jacobian(field: Field, theta: float = 1e-9, psi: float = 1e-9) -> np.ndarray:
    """Return dv / d(theta, psi) (2, 2) of the two losses by autograd, in float64."""
    import torch

    position = torch.tensor([theta, psi], dtype=torch.float64, requires_grad=True)
    rows = []
    for player in (0, 1):
        gradient = torch.autograd.grad(field.losses(*position)[player], position, create_graph=True)[0]
        rows.append(torch.autograd.grad(-gradient[player], position, retain_graph=True)[0])
    return torch.stack(rows).detach().numpy()
