"""Quantities of a game's vector field v and of its Jacobian J at the current parameters of a pack.

    v(x) = (grad_theta L_G, grad_psi L_D),   x = (theta, psi),   J = dv/dx

`gansweep.training.diagnosis` computes v and its products with J; docs/diagnostics.md describes the
numbers. Vectors of both players are `Both`, with (K, P) parameters for K members.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gansweep.dynamics.position import Both


def field_norm(v: Both) -> Tensor:
    """Return |v|, |v_G| and |v_D| of every member, (K, 3).

        |v| = sqrt(|grad_theta L_G|^2 + |grad_psi L_D|^2)

    It is zero at the stationary points of the game (Mescheder et al. 2017, arXiv:1705.10461), where
    both gradients vanish. A small |v_G| with a large |v_D| indicates vanishing gradients of the
    generator.
    """
    squares = torch.cat([part.dot(part) for part in (Both(v.generator, ()), Both((), v.discriminator))], 1)
    return torch.cat([squares.sum(1, keepdim=True), squares], 1).sqrt()


def cosine(a: Both, b: Both) -> Tensor:
    """Return <a, b> / (|a| |b|) of every member, (K, 1); NaN where one of them is zero.

    Two of them are reported. `turn` = cos(v_t, v_before) compares the fields of two consecutive
    diagnoses: 1 for the same direction, 0 for a rotation by 90 degrees, -1 for a reversal. For two
    random points on a circle its mean is 0. `path` compares the field with the displacement from
    the initial parameters,

        path = cos(-v(x_t), x_t - x_0),

    which is the path-angle of Berard et al. 2020, arXiv:1906.04848, section 4 (c(alpha) at alpha =
    1, the path being the straight line from the initial to the current parameters): 1 for a
    movement along the line, 0 for a movement orthogonal to it, as in a rotation, and below 0 for a
    movement back to the start.
    """
    return a.dot(b) / (a.dot(a).sqrt() * b.dot(b).sqrt())


def penalty_ratio(v: Both, of_penalties: Both) -> Tensor:
    """Return |grad_psi P| / |grad_psi (L_D - P)| of every member, (K, 1); P is the sum of penalties.

    If it is far above 1, the penalties dominate the discriminator's update; far below 1, they have
    no effect. The ratio is ours. It depends on the weights lambda of arXiv:1704.00028, eq. 3, and
    gamma of arXiv:1801.04406, eq. 9.

    Args:
        v: the field; its second part is the gradient of L_D.
        of_penalties: gradients of the penalties, a part of v.
    """
    p = Both((), of_penalties.discriminator)
    game = Both((), v.discriminator) - p
    return torch.sqrt(p.dot(p) / game.dot(game))


def antisymmetric(forward: Both, back: Both) -> Tensor:
    """Return the share of the Jacobian's antisymmetric part in its product with the field, (K, 1).

        share = |A v|^2 / (|S v|^2 + |A v|^2),   J = S + A,  S = (J + J^T) / 2,  A = (J - J^T) / 2

    Balduzzi et al. 2018, arXiv:1802.05642, decompose a game into a potential part S and a
    Hamiltonian part A. The share along v is ours. It is 0 for a common loss and 1 for the bilinear
    game. It measures the game along the direction of the training. The largest eigenvalues need not
    do so: with a penalty they are often real and due to the discriminator's own curvature.

    Args:
        forward: J v.
        back: J^T v.
    """
    symmetric, turning = forward + back, forward - back
    along, across = symmetric.dot(symmetric), turning.dot(turning)
    return across / (along + across)


def arnoldi(times: Callable[[Both], Both], start: Both, iterations: int) -> Tensor:
    """Project a matrix A of every member on its Krylov space, and return H (K, m + 1, m).

        A Q_m = Q_(m+1) H,   Q_m an orthonormal basis of span(b, A b, ..., A^(m-1) b)

    Arnoldi 1951; Saad 2011, Numerical Methods for Large Eigenvalue Problems, algorithm 6.2
    (modified Gram-Schmidt). The eigenvalues of the upper square of H approximate the extreme
    eigenvalues of A first. m is at most the number of parameters. If the Krylov space is exhausted
    early, the subdiagonal entry is zero up to rounding, and later columns are meaningless.

    Args:
        times: function that returns the product of A with a vector.
        start: b, not zero.
        iterations: m; each costs one product and the memory of one vector.
    """
    basis, columns = [start * (1 / start.dot(start).sqrt())], []
    m = min(iterations, start.num_parameters)
    for _ in range(m):
        w = times(basis[-1])
        column = torch.zeros(len(start.parts[0]), m + 1, dtype=start.parts[0].dtype, device=start.parts[0].device)
        for i, q in enumerate(basis):
            along = q.dot(w)
            w = w.map(lambda a, b, along=along: torch.addcmul(a, b, along, value=-1), q)
            column[:, i : i + 1] = along
        size = w.dot(w).sqrt()
        column[:, len(basis) : len(basis) + 1] = size
        columns.append(column)
        basis.append(w * torch.where(size > 0, 1 / size, 0.0))
    return torch.stack(columns, 2)


class Spectrum(NamedTuple):
    """Ritz values in order of decreasing magnitude, one with Im >= 0 of each conjugate pair.

    Args:
        values: complex (n,).
        residuals: |A y - value y| for the unit Ritz vectors y, (n,).
    """

    values: NDArray[np.complex128]
    residuals: NDArray[np.float64]


def spectrum(h: NDArray[np.float64], rounding: float) -> Spectrum | None:
    """Return the Ritz values of one member's H (m + 1, m), None if H is not finite.

        H_m s = value s,   residual = h_(m+1, m) |s_m|

    Saad 2011, proposition 6.8. H is truncated where the Krylov space is exhausted; the values are
    then exact.

    Args:
        h: result of `arnoldi` for one member.
        rounding: relative rounding error of its entries; values below 100 times that are treated as
            zero.

    >>> spectrum(np.array([[0.0, -0.5], [0.5, 0.0], [0.0, 0.0]]), 1e-16).values.round(3).tolist()
    [0.5j]
    """
    m = h.shape[1]
    for n in range(1, m):
        if h[n, n - 1] <= 100 * rounding * np.linalg.norm(h[: n + 1, :n]):
            m = n
            break
    if not np.isfinite(h[: m + 1, :m]).all():
        return None
    eigenvalues, vectors = np.linalg.eig(h[:m, :m])
    values = eigenvalues.astype(np.complex128)
    residuals = np.abs(h[m, m - 1] * vectors[-1])
    order = np.argsort(-np.abs(values), kind="stable")
    kept = order[values.imag[order] >= 0]
    return Spectrum(values[kept], residuals[kept])


def rotation(values: NDArray[np.complex128]) -> float:
    """Return the rotation index of eigenvalues: 0 all real, 1 all imaginary, NaN if all are zero.

        r = sum_i |Im lambda_i| / sum_i |lambda_i|

    With a common loss of both players, the Jacobian is symmetric and r = 0; the bilinear game has
    r = 1. If |Im / Re| is large, only small steps converge (Mescheder et al. 2017,
    arXiv:1705.10461). Berard et al. 2020, arXiv:1906.04848, interpret imaginary parts as rotation.
    The index is ours: neither paper defines a single number.

    >>> rotation(np.array([3 + 4j])), rotation(np.array([2 + 0j, -1 + 0j]))
    (0.8, 0.0)
    """
    total = np.abs(values).sum()
    return float(np.abs(values.imag).sum() / total) if total > 0 else float("nan")
