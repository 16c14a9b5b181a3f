"""Tr (S_a S_b)^1/2, the term of a Fréchet distance that is hard to get right and slow."""

from __future__ import annotations

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from gansweep.metrics.statistics import Statistics

BLOCK = 256  # rows at a time: small enough to skip most zeros, large enough for full speed
TOLERANCE = 1e-8


def trace_of_root(a: Statistics, b: Statistics) -> Tensor:
    """Tr (S_a S_b)^1/2 without the square root of a non-symmetric matrix.

    With roots S = R^T R the eigenvalues of S_a S_b are the squared singular values of
    R_a R_b^T, so the trace is the nuclear norm of that, an N x N problem where samples are
    fewer than dimensions. If only one root R is known, the same numbers are the eigenvalues
    of R S R^T, and some root R always is to be had. They are never complex; rounding may leave
    those that are 0 slightly negative, hence the clip.
    """
    if a.is_root and b.is_root:
        return nuclear_norm(a.spread @ b.spread.T)
    if b.is_root:
        a, b = b, a
    product = a.spread @ b.spread @ a.spread.T if a.is_root else symmetric_product(a.spread, b.spread)
    return torch.linalg.eigvalsh(product).clamp(min=0).sqrt().sum()


def nuclear_norm(matrix: Tensor) -> Tensor:
    """Sum of the singular values of (N, M) in float64, to a relative 1e-8.

        || C ||_* = sum_i sqrt(l_i),   l_i the eigenvalues of C C^T

    The eigenvalues take half the time of the singular values. They are right to a few times
    eps l_max, so that a small root s may be wrong by d / max(s, sqrt(d)), d = 4 eps l_max. Where these
    bounds add up to too much, the singular values are computed after all.
    """
    # numpy's eigenvalues take half the time of torch's where they are not from the same library.
    c = matrix.numpy() if len(matrix) <= matrix.shape[1] else matrix.numpy().T
    with threadpool_limits(torch.get_num_threads(), "blas"):
        squares = np.linalg.eigvalsh(c @ c.T).clip(0)
    roots, error = np.sqrt(squares), 4 * np.finfo(np.float64).eps * squares.max()
    if error and (error / np.maximum(roots, np.sqrt(error))).sum() > TOLERANCE * roots.sum():
        return torch.linalg.matrix_norm(matrix, "nuc")
    return torch.tensor(roots.sum())


def symmetric_product(a: Tensor, b: Tensor) -> Tensor:
    """A matrix with the eigenvalues of S_a S_b: R S_b R^T, of which the lower triangle is filled in.

    R is Cholesky's factor, ten times cheaper than S_a^1/2. It has zeros on one side, and leaving
    them out spares three fifths of the product. Where S_a has lost its full rank there is none,
    and S_a^1/2 serves.

    Args:
        a: S_a (D, D), symmetric and positive semidefinite.
        b: S_b (D, D), likewise.
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
