"""Ranking of configurations, and bootstrap probabilities of their ranks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gansweep.statistics.crossed_seeds import resample


def order(values: np.ndarray) -> np.ndarray:
    """Return indices (m,) of configurations, best first: by share of seeds without a value, then by mean.

    A configuration with more N/A seeds ranks behind all with fewer, regardless of its other values.

    Args:
        values: (m, n), lower is better, NaN for a run without a value.

    >>> order(np.array([[1.0, np.nan], [9.0, 9.0], [5.0, 6.0]])).tolist()
    [2, 1, 0]
    """
    return np.lexsort((_means(values), _lost(values)))


def rank_probabilities(values: np.ndarray, resamples: int = 2000, crossed: np.ndarray | None = None) -> np.ndarray:
    """Return bootstrap probabilities of each rank: (m configurations, m ranks).

    Seeds are resampled with replacement, the same for all configurations, and the configurations are ordered as by
    `order`, with ties broken at random. Hall and Miller 2009, arXiv:0911.3749, "Using the bootstrap to quantify the
    authority of an empirical ranking". The resamples are the same at every call.

    Args:
        values: (m, n) as in `order`.
        resamples: number of bootstrap resamples.
        crossed: factors of crossed seeds (n, factors); None if all seeds are independent.
    """
    m, n = values.shape
    rng = np.random.default_rng(0)
    crossed = np.empty((n, 0), dtype=np.int64) if crossed is None else crossed
    counts = np.zeros((m, m))
    for _ in range(resamples):
        drawn = values[:, resample(crossed, rng)]
        first_to_last = np.lexsort((rng.random(m), _means(drawn), _lost(drawn)))
        counts[first_to_last, np.arange(m)] += 1
    return counts / resamples


def ranks_of_values(values: Sequence[float]) -> np.ndarray:
    """Return ranks (n,) of values, starting at 1; NaN ranks last, and ties share the mean of their ranks.

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
