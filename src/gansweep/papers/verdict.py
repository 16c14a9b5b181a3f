"""Agreement of a printed number with several seeds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

CONFIDENCE = 0.95


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % prediction interval of one more run, for normally distributed seeds.

        mean -+ t(n - 1) sd sqrt(1 + 1 / n)

    The printed number is a single run, so it is compared with this and not with the interval of the mean.

    >>> low, high = interval([1.0, 2.0, 3.0])
    >>> round(low, 3), round(high, 3)
    (-2.968, 6.968)
    """
    from scipy import stats

    n, mean = len(values), statistics.fmean(values)
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1)) * statistics.stdev(values) * math.sqrt(1 + 1 / n)
    return mean - half, mean + half


def band(value: float, borders: Sequence[float]) -> int:
    """Return the number of borders that a value reaches or exceeds.

    >>> [band(value, (100, 200)) for value in (99.9, 100, 300)]
    [0, 1, 2]
    """
    return sum(value >= border for border in borders)


def verdict(
    printed: float | None,
    ours: Sequence[float | None],
    borders: Sequence[float],
    our_borders: Sequence[float] | None = None,
) -> str:
    """Return the agreement in a few words.

    Args:
        printed: the printed value; None for N/A.
        ours: final values; None for a diverged run.
        borders: limits of the bands of the paper.
        our_borders: limits in our metric, if it differs; intervals are then not compared.
    """
    values = [value for value in ours if value is not None]
    if printed is None:
        return "both N/A" if not values else "printed N/A" if len(values) == len(ours) else "N/A in some seeds"
    if not values:
        return "N/A here"
    same = band(printed, borders) == band(statistics.fmean(values), our_borders or borders)
    side = "same band" if same else "other band"
    if our_borders is not None or len(values) < 2:
        return side
    low, high = interval(values)
    return "inside" if low <= printed <= high else f"outside, {side}"


def rank_correlation(first: Mapping[Any, float | None], second: Mapping[Any, float | None]) -> tuple[float, int]:
    """Return Spearman's rho over the keys with values in both, and their number.

    NaN with fewer than three pairs, or if all values of one side are equal.

    >>> rank_correlation({1: 1.0, 2: 2.0, 3: 9.0, 4: None}, {1: 5.0, 2: 6.0, 3: 7.0, 4: 1.0})
    (1.0, 3)
    """
    import numpy as np
    from scipy.stats import rankdata

    pairs = [(a, second[key]) for key, a in first.items() if a is not None and second.get(key) is not None]
    ranks = rankdata(np.array(pairs).reshape(-1, 2), axis=0)
    if len(pairs) < 3 or not np.ptp(ranks, axis=0).all():
        return math.nan, len(pairs)
    return round(float(np.corrcoef(ranks.T)[0, 1]), 6), len(pairs)
