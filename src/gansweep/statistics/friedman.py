"""Friedman's test of whether treatments rank alike in several blocks."""

from __future__ import annotations

import numpy as np
from scipy import stats

RESAMPLES = 10_000


def friedman(values: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the mean rank (m,) of every treatment over the blocks, and the p-value that no treatment matters.

    Values are ranked within each block; ties share the mean of their ranks. Under the null hypothesis all orders of
    the values of a block have the same probability. The statistic, the sum of squared rank sums, orders the
    permutations as Friedman's chi-square does (Friedman 1937, doi:10.1080/01621459.1937.10503522). The p-value is from
    random permutations, the same at every call, because the chi-square approximation needs many blocks:

        p = (1 + number of permutations with at least the observed statistic) / (1 + number of permutations)

    Args:
        values: (n blocks, m treatments), lower is better; infinite values are tied.

    >>> ranks, p = friedman(np.array([[1.0, 2.0, 3.0], [1.0, 3.0, 2.0]]))
    >>> ranks.tolist()
    [1.0, 2.5, 2.5]
    """
    ranks = stats.rankdata(values, axis=1)
    rng = np.random.default_rng(0)
    sums = sum(rng.permuted(np.repeat(block[None], RESAMPLES, axis=0), axis=1) for block in ranks)
    observed = float((ranks.sum(axis=0) ** 2).sum())
    reached = int(((np.asarray(sums) ** 2).sum(axis=1) >= observed * (1 - 1e-12)).sum())
    return ranks.mean(axis=0), (1 + reached) / (1 + RESAMPLES)
