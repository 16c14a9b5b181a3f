"""Eigenvalues of the linearized game and moduli of the algorithms' matrices.

Continuous-time training converges if all eigenvalues of J have real part below 0. A discrete
algorithm converges if all eigenvalues of its matrix have modulus below 1; the largest modulus is
the factor per step. With real part 0, or modulus 1, there is no linear rate, and higher orders
decide.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gansweep.dirac.descent import Algorithm, Pair
from gansweep.dirac.fields.field import Field, Numbers


def eigenvalues(jacobian: np.ndarray) -> NDArray[np.complex128]:
    """Return the eigenvalues t/2 +- sqrt(t^2/4 - d) of matrices (..., 2, 2), plus sign first.

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
    values = eigenvalues(matrix) if matrix.shape[-1] == 2 else np.linalg.eigvals(matrix)
    return np.sort(np.abs(values), axis=-1)[..., ::-1]


def autograd_jacobian(field: Field, theta: float = 1e-9, psi: float = 1e-9) -> np.ndarray:
    """Return dv / d(theta, psi) (2, 2) of the two losses by autograd, in float64."""
    import torch

    position = torch.tensor([theta, psi], dtype=torch.float64, requires_grad=True)
    rows = []
    for player in (0, 1):
        gradient = torch.autograd.grad(field.losses(*position)[player], position, create_graph=True)[0]
        rows.append(torch.autograd.grad(-gradient[player], position, retain_graph=True)[0])
    return torch.stack(rows).detach().numpy()
