"""Means over crossed seeds, such as seed_init x seed_data: runs that share a seed are not independent.

Levels (n, kinds) are the seeds of n runs, one column per kind of seed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

Levels = Sequence[Sequence[int]]


def factors(levels: Levels) -> np.ndarray:
    """Return the columns of the levels that make runs dependent, as indices from 0: (n, factors).

    A kind of seed that differs in every run, that is equal in all runs, or that determines another kind which does
    not, is left out. Without any column all runs are independent.

    >>> factors([(0, 7), (0, 8), (1, 7), (1, 8)]).tolist()
    [[0, 0], [0, 1], [1, 0], [1, 1]]
    >>> factors([(0, 7), (1, 8), (2, 9)]).shape  # no two runs share a seed
    (3, 0)
    """
    columns = [np.unique(np.array(column), return_inverse=True)[1].ravel() for column in zip(*levels, strict=True)]
    n = len(levels)
    shared = [column for column in columns if 0 < column.max() < n - 1]
    kept: list[np.ndarray] = []
    for column in sorted(shared, key=lambda column: int(column.max())):  # a coarser kind before those inside of it
        if not any(_determines(column, coarser) for coarser in kept):
            kept.append(column)
    ordered = [column for column in shared if any(column is one for one in kept)]
    return np.array(ordered, dtype=np.int64).reshape(len(ordered), n).T


def _determines(fine: np.ndarray, coarse: np.ndarray) -> bool:
    pairs = set(zip(fine.tolist(), coarse.tolist(), strict=True))
    return len(pairs) == int(fine.max()) + 1


def error_of_mean(values: np.ndarray, crossed: np.ndarray) -> tuple[float, float]:
    """Return the standard error of the mean of values over crossed seeds, and its degrees of freedom.

        error^2 = sum over the kinds f of V_f
        degrees = (sum of V_f)^2 / sum of V_f^2 / (G_f - 1)

    V_f are the `variances_of_mean` and G_f the numbers of seeds of a kind. On a full grid the expectation of the sum is
    at least the variance of the mean under crossed random effects. The degrees of freedom are those of Satterthwaite
    1946, doi:10.2307/3002019.

    Args:
        values: finite, one per run (n,).
        crossed: result of `factors`, with at least one column.

    >>> error_of_mean(np.array([1.0, 1.0, 3.0, 3.0]), np.array([[0], [0], [1], [1]]))  # as of the two values 1 and 3
    (1.0, 1.0)
    """
    variances, degrees = variances_of_mean(values, crossed)
    total = float(variances.sum())
    if not 0 < total < math.inf:
        return math.sqrt(total), float(degrees.min())
    return math.sqrt(total), satterthwaite(variances, degrees)


def variances_of_mean(values: np.ndarray, crossed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the part V_f of each kind of seed in the variance of a mean, and its degrees of freedom G_f - 1.

        V_f = G_f / (G_f - 1) sum over g of (sum over runs i of g of (y_i - mean))^2 / n^2

    g is one of the G_f seeds of a kind. V_f is the cluster-robust variance (Cameron, Gelbach and Miller 2011,
    doi:10.1198/jbes.2010.07136, eq. 2.3, without the subtracted term of the intersections, which makes the sum
    conservative where the interactions are large). On a full grid V_f is the mean square of the kind divided by n.

    Args:
        values: finite, (..., n) with the runs last.
        crossed: result of `factors` (n, kinds); without any column the runs are one kind.

    Returns:
        The variances (..., kinds) and the degrees (kinds,).
    """
    n = values.shape[-1]
    columns = crossed.T if crossed.shape[1] else [np.arange(n)]
    deviations, parts, degrees = values - values.mean(axis=-1, keepdims=True), [], []
    for column in columns:
        seeds, place = np.unique(column, return_inverse=True)
        size = len(seeds)
        sums = deviations @ (place[:, None] == np.arange(size)).astype(np.float64)
        parts.append(size / (size - 1) * (sums**2).sum(axis=-1) / n**2 if size > 1 else sums.sum(axis=-1) + math.inf)
        degrees.append(max(size - 1, 1))
    return np.stack(parts, axis=-1), np.array(degrees)


def satterthwaite(variances: np.ndarray, degrees: np.ndarray) -> float:
    """Return the degrees of freedom of a sum of variances; 0 / 0 is not allowed."""
    return float(variances.sum() ** 2 / (variances**2 / degrees).sum())


def independent(crossed: np.ndarray) -> list[int]:
    """Return the indices of runs no two of which share a seed: the diagonal of a full grid.

    >>> independent(np.array([[0, 0], [0, 1], [1, 0], [1, 1]]))
    [0, 3]
    """
    taken: list[set[int]] = [set() for _ in crossed.T]
    chosen = []
    for place, row in enumerate(crossed.tolist()):
        if not any(level in seen for level, seen in zip(row, taken, strict=True)):
            chosen.append(place)
            for level, seen in zip(row, taken, strict=True):
                seen.add(level)
    return chosen


def resample(crossed: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return indices of runs of one bootstrap resample, with repetitions.

    The seeds of every kind are resampled independently, and a run is drawn as often as the product of the numbers of
    its seeds (the "pigeonhole" bootstrap, Owen 2007, arXiv:0712.1111). Runs are drawn themselves if they are
    independent.

    Args:
        crossed: result of `factors`, (n, factors).
        rng: source of random numbers.
    """
    n = len(crossed)
    if not crossed.shape[1]:
        return rng.integers(n, size=n)
    while True:
        counts = np.ones(n, dtype=np.int64)
        for column in crossed.T:
            size = int(column.max()) + 1
            counts *= np.bincount(rng.integers(size, size=size), minlength=size)[column]
        if counts.any():  # of an incomplete grid a resample may have no run
            return np.repeat(np.arange(n), counts)


def fewest(crossed: np.ndarray) -> int:
    """Return the number of independent repetitions: runs, or seeds of the kind with the fewest."""
    return min((len(np.unique(column)) for column in crossed.T), default=len(crossed))


def most(crossed: np.ndarray) -> int:
    """Return the number of seeds of the kind with the most; 0 if all runs are independent."""
    return max((len(np.unique(column)) for column in crossed.T), default=0)
