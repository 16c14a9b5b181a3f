"""Confidence interval of a median from order statistics."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats


def median_interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float]:
    """Return a two-sided confidence interval of the median, for any distribution of the values.

        [T_(l), T_(n + 1 - l)],   largest l with P(Binomial(n, 1/2) < l) <= (1 - confidence) / 2

    David and Nagaraja 2003, Order Statistics, section 7.1. With ties the coverage is larger. It is (-inf, inf) if n is
    too small for any l: six values are the least for 95 %.

    Args:
        values: (n,); infinity for a value beyond all others, such as a time that is never reached.
        confidence: between 0 and 1.

    >>> median_interval([1, 2, 3, 4, 5, 6]), median_interval([1, 2, 3, 4, 5])
    ((1.0, 6.0), (-inf, inf))
    """
    ordered = sorted(float(value) for value in values)
    n = len(ordered)
    below = stats.binom.cdf(np.arange(n), n, 0.5)  # entry l - 1: P(B < l)
    low = int((below <= (1 - confidence) / 2).sum())
    return (ordered[low - 1], ordered[n - low]) if low else (-math.inf, math.inf)
