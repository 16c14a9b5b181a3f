"""Eigenvalues of a matrix from what Arnoldi's iteration left of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Spectrum(NamedTuple):
    """Ritz values, the largest first; of two that are conjugate the one above the real axis.

    Args:
        values: complex (n,).
        residuals: |A y - value y| of their unit vectors y, (n,): how far each is from being an eigenvalue.
    """

    values: NDArray[np.complex128]
    residuals: NDArray[np.float64]


def spectrum(h: NDArray[np.float64], rounding: float) -> Spectrum | None:
    """Return the Ritz values of one member's H (m + 1, m), None if H is not finite.

        H_m s = value s,   residual = h_(m+1, m) |s_m|

    Saad 2011, proposition 6.8. H is cut where the space has closed: there the values are exact.

    Args:
        h: of `arnoldi`, for one member.
        rounding: relative error of its entries; what is below a hundred times that counts as zero.

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
