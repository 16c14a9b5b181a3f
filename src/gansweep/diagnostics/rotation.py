"""Rotation index of the eigenvalues of a game's Jacobian."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def rotation(values: NDArray[np.complex128]) -> float:
    """Return the rotation index of eigenvalues: 0 all real, 1 all imaginary, NaN if all are zero.

        r = sum_i |Im lambda_i| / sum_i |lambda_i|

    With a common loss of both players, the Jacobian is symmetric and r = 0; the bilinear game has r = 1. If
    |Im / Re| is large, only small steps converge (Mescheder et al. 2017, arXiv:1705.10461). Berard et al. 2020,
    arXiv:1906.04848, interpret imaginary parts as rotation. The index is ours: neither paper defines a single number.

    >>> rotation(np.array([3 + 4j])), rotation(np.array([2 + 0j, -1 + 0j]))
    (0.8, 0.0)
    """
    total = np.abs(values).sum()
    return float(np.abs(values.imag).sum() / total) if total > 0 else float("nan")
