"""Ritz values: approximate eigenvalues from the Hessenberg matrix of the Arnoldi iteration."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Spectrum(NamedTuple):
    """Ritz values in order of decreasing magnitude; of a conjugate pair, the one with a positive imaginary part.

    Args:
        values: complex (n,).
        residuals: |A y - value y| for the unit Ritz vectors y, (n,).
    """

    values: NDArray[np.complex128]
    residuals: NDArray[np.float64]


def spectrum(h: NDArray[np.float64], rounding: float) -> Spectrum | None:
    """Return the Ritz values of one member's H (m + 1, m), None if H is not finite.

        H_m s = value s,   residual = h_(m+1, m) |s_m|

    Saad 2011, proposition 6.8. H is truncated where the Krylov space is exhausted; the values are then exact.

    Args:
        h: result of `arnoldi` for one member.
        rounding: relative rounding error of its entries; values below 100 times that are treated as zero.

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
