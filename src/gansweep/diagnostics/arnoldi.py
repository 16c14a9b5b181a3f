"""Arnoldi iteration: Hessenberg matrix of a linear operator from matrix-vector products."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from gansweep.dynamics.position import Both


def arnoldi(times: Callable[[Both], Both], start: Both, iterations: int) -> Tensor:
    """Project a matrix A of every member on its Krylov space, and return H (K, m + 1, m).

        A Q_m = Q_(m+1) H,   Q_m an orthonormal basis of span(b, A b, ..., A^(m-1) b)

    Arnoldi 1951; Saad 2011, Numerical Methods for Large Eigenvalue Problems, algorithm 6.2 (modified
    Gram-Schmidt). The eigenvalues of the upper square of H approximate the extreme eigenvalues of A first. m is at
    most the number of parameters. If the Krylov space is exhausted early, the subdiagonal entry is zero up to
    rounding, and later columns are meaningless.

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
