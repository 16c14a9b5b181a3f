"""Interval of the median: tabulated ranks and coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gansweep.statistics.estimate import median_interval


@pytest.mark.parametrize(("n", "low", "high"), [(6, 1, 6), (10, 2, 9), (20, 6, 15), (100, 40, 61)])
def test_ranks_are_those_of_tables(n, low, high):
    assert median_interval(list(range(1, n + 1))[::-1]) == (low, high)


def test_infinite_values_are_the_largest():
    assert median_interval([math.inf] * 6 + [float(n) for n in range(14)]) == (5.0, math.inf)
    assert median_interval([3.0] * 5) == (-math.inf, math.inf)
    assert median_interval([]) == (-math.inf, math.inf)


def test_coverage_is_at_least_the_confidence():
    rng = np.random.default_rng(0)
    intervals = [median_interval(rng.exponential(size=20)) for _ in range(2000)]
    covered = np.mean([low <= math.log(2) <= high for low, high in intervals])
    assert 0.945 <= covered <= 0.972  # exact: 0.9586
