"""Who is first, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def order(values: np.ndarray) -> np.ndarray:
    """Order settings, the best first: by the share of seeds without a value, then by the mean of the others.

    So a setting that loses a seed stands behind all that lose fewer, however good its other seeds are.

    Args:
        values: (m, n), lower is better, NaN for a run without a value.

    >>> order(np.array([[1.0, np.nan], [9.0, 9.0], [5.0, 6.0]])).tolist()
    [2, 1, 0]
    """
    return np.lexsort((_means(values), _lost(values)))


def rank_probabilities(values: np.ndarray, resamples: int = 2000) -> np.ndarray:
    """Return the chance of each rank if the seeds had been others: (m settings, m ranks).

    Seeds are drawn again with replacement, the same for all settings, and the settings ordered anew as `order` does;
    equal ones in random order. Hall and Miller 2009, arXiv:0911.3749, "Using the bootstrap to quantify the authority
    of an empirical ranking". The draws are the same at every call.

    Args:
        values: (m, n) as in `order`.
        resamples: how often.
    """
    m, n = values.shape
    rng = np.random.default_rng(0)
    counts = np.zeros((m, m))
    for _ in range(resamples):
        drawn = values[:, rng.integers(n, size=n)]
        first_to_last = np.lexsort((rng.random(m), _means(drawn), _lost(drawn)))
        counts[first_to_last, np.arange(m)] += 1
    return counts / resamples


def ranks_of_values(values: Sequence[float]) -> np.ndarray:
    """Rank single values from 1, equal ones and all that do not exist sharing the mean of their ranks.

    >>> ranks_of_values([3.0, float("nan"), 1.0, float("nan")]).tolist()
    [2.0, 3.5, 1.0, 3.5]
    """
    from scipy.stats import rankdata

    every = np.asarray(values, dtype=np.float64)
    return rankdata(np.where(np.isfinite(every), every, np.inf))


def _lost(values: np.ndarray) -> np.ndarray:
    return (~np.isfinite(values)).mean(axis=1)


def _means(values: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    sums = np.where(known, values, 0.0).sum(axis=1)
    return np.where(known.any(axis=1), sums / np.maximum(known.sum(axis=1), 1), np.inf)
