"""Trace term Tr (S_a S_b)^1/2 of the Fréchet distance."""

from __future__ import annotations

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from gansweep.metrics.statistics import Statistics

BLOCK = 256  # rows per block: small enough to skip most zeros, large enough for full speed
TOLERANCE = 1e-8


def trace_of_root(a: Statistics, b: Statistics) -> Tensor:
    """Return Tr (S_a S_b)^1/2, computed without the square root of a non-symmetric matrix.

    With roots S = R^T R, the eigenvalues of S_a S_b are the squared singular values of R_a R_b^T. The
    trace is therefore the nuclear norm of R_a R_b^T, an N x N problem if there are fewer samples than
    dimensions. If only one root R is available, the eigenvalues are those of R S R^T. If neither is, a
    root of S_a is computed. The eigenvalues are real and not negative; they are clipped at 0 because
    rounding can make zeros slightly negative.
    """
    if a.is_root and b.is_root:
        return nuclear_norm(a.spread @ b.spread.T)
    if b.is_root:
        a, b = b, a
    product = a.spread @ b.spread @ a.spread.T if a.is_root else symmetric_product(a.spread, b.spread)
    return torch.linalg.eigvalsh(product).clamp(min=0).sqrt().sum()


def nuclear_norm(matrix: Tensor) -> Tensor:
    """Return the nuclear norm, the sum of the singular values, of (N, M) in float64, to a relative 1e-8.

        || C ||_* = sum_i sqrt(l_i),   l_i the eigenvalues of C C^T

    Eigenvalues take half the time of singular values. Their error is a few times eps l_max, so the error
    of a small root s is at most d / max(s, sqrt(d)), d = 4 eps l_max. If the sum of these bounds exceeds the
    tolerance, the singular values are computed instead.
    """
    # numpy's eigenvalues take half the time of torch's if the two use different libraries.
    c = matrix.numpy() if len(matrix) <= matrix.shape[1] else matrix.numpy().T
    with threadpool_limits(torch.get_num_threads(), "blas"):
        squares = np.linalg.eigvalsh(c @ c.T).clip(0)
    roots, error = np.sqrt(squares), 4 * np.finfo(np.float64).eps * squares.max()
    if error and (error / np.maximum(roots, np.sqrt(error))).sum() > TOLERANCE * roots.sum():
        return torch.linalg.matrix_norm(matrix, "nuc")
    return torch.tensor(roots.sum())


def symmetric_product(a: Tensor, b: Tensor) -> Tensor:
    """Return R S_b R^T (D, D), which has the eigenvalues of S_a S_b; only its lower triangle is filled.

    R is the Cholesky factor of S_a, ten times cheaper than S_a^1/2. It is triangular, and skipping its
    zeros saves three fifths of the product. If S_a is rank-deficient, S_a^1/2 is used instead.

    Args:
        a: S_a (D, D), symmetric and positive semidefinite.
        b: S_b (D, D), symmetric and positive semidefinite.
    """
    lower, failed = torch.linalg.cholesky_ex(a)
    if failed:
        values, vectors = torch.linalg.eigh(a)
        root = vectors * values.clamp(min=0).sqrt() @ vectors.T
        return root @ b @ root
    root, half, product = lower.T.contiguous(), torch.empty_like(b), torch.zeros_like(b)
    starts = range(0, len(b), BLOCK)
    for i in starts:
        torch.mm(root[i : i + BLOCK, i:], b[i:], out=half[i : i + BLOCK])
    for j in starts:
        product[j:, j : j + BLOCK] = half[j:, j:] @ root[j : j + BLOCK, j:].T
    return product
