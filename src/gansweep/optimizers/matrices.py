"""Products and factorisations of the matrices of all members, (K, n, m), independent of K on a CPU.

Products are padded with zeros to multiples of 8, as in `gansweep.layers.linear`. On a CPU, factorisations are computed
member by member from a copy; elsewhere as one batch, because each eigendecomposition waits for the device.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from gansweep.device import finest
from gansweep.layers.layer import each_member
from gansweep.layers.linear import MULTIPLE


def product(a: Tensor, b: Tensor) -> Tensor:
    """Return a @ b (K, n, m)."""
    return (_padded(a) @ _padded(b))[:, : a.shape[1], : b.shape[2]]


def _padded(matrices: Tensor) -> Tensor:
    n, m = matrices.shape[1:]
    if n % MULTIPLE or m % MULTIPLE:
        return F.pad(matrices, (0, -m % MULTIPLE, 0, -n % MULTIPLE))
    return matrices.contiguous()


def unfolded(x: Tensor, axis: int) -> Tensor:
    """Return (K, ..., n, ...) as matrices (K, rest, n), with `axis` of a member last."""
    moved = x.movedim(axis + 1, -1)
    return moved.reshape(len(x), -1, moved.shape[-1])


def along(x: Tensor, matrix: Tensor, axis: int) -> Tensor:
    """Return x (K, ..., n, ...) multiplied by matrices (K, n, m) along an axis: sum_i x[.. i ..] matrix[i, j]."""
    moved = x.movedim(axis + 1, -1)
    y = product(moved.reshape(len(x), -1, moved.shape[-1]), matrix)
    return y.reshape(*moved.shape[:-1], matrix.shape[2]).movedim(-1, axis + 1)


def gram(x: Tensor, axis: int) -> Tensor:
    """Return X X^T (K, n, n) of the unfolding X (K, n, rest) along an axis."""
    rows = unfolded(x, axis)
    return product(rows.mT, rows)


def inverse_root(symmetric: Tensor, order: int, least: float) -> Tensor:
    """Return A^(-1 / order) of symmetric A (K, n, n); eigenvalues below `least` count as `least`."""

    def root(matrices: Tensor) -> Tensor:
        values, vectors = _eigh(matrices)
        return (vectors * values.clamp(min=least).pow(-1 / order).unsqueeze(-2)) @ vectors.mT

    return _each(symmetric, root)


def eigenvectors(symmetric: Tensor) -> Tensor:
    """Return the eigenvectors of symmetric matrices (K, n, n) as columns, by decreasing eigenvalue."""
    return _each(symmetric, lambda matrices: _eigh(matrices)[1].flip(-1))


def _eigh(matrices: Tensor) -> tuple[Tensor, Tensor]:
    """Return eigenvalues (..., n) and eigenvectors (..., n, n) in float64, or the finest type of the device.

    They are NaN for a matrix that is not finite or without convergence: the member diverges.
    """
    matrices = matrices.to(finest(matrices.device))
    try:
        return tuple(torch.linalg.eigh(matrices))
    except torch.linalg.LinAlgError:  # pyright: ignore[reportPrivateImportUsage]
        if matrices.ndim > 2:  # of one member; the others have theirs
            values, vectors = zip(*map(_eigh, matrices), strict=True)
            return torch.stack(values), torch.stack(vectors)
        return torch.full_like(matrices[0], torch.nan), torch.full_like(matrices, torch.nan)


def orthonormal(matrices: Tensor) -> Tensor:
    """Return Q (K, n, n) of the QR decomposition."""
    return _each(matrices, lambda matrices: torch.linalg.qr(matrices)[0])


def rows_of(members: list[int], state: Tensor) -> list[int] | slice:
    """Return an index of some members of `state` (K, ...).

    Except on a CPU, all members are a slice, because a list is copied to the device at every use.
    """
    return slice(None) if len(members) == len(state) and state.device.type != "cpu" else members


def _each(matrices: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
    """Apply a function of matrices (..., n, n) to those of all members."""
    if matrices.device.type != "cpu":
        return function(matrices).to(matrices.dtype)
    return each_member(lambda matrix: function(matrix.clone()).to(matrix.dtype), matrices)
