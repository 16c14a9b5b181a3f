"""Parts of statements. Mistakes: exchanged sides, an interval or p-value that is not that of the named test."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from gansweep.papers.parts import alike, better, most, same_order

SEEDS = range(6)


def test_a_paired_comparison_is_that_of_scipy():
    first, second = {0: 1.0, 1: 2.5, 2: 2.0, 3: 4.0}, {0: 2.0, 1: 3.0, 2: 4.5, 3: 5.5}
    test = stats.ttest_rel(list(second.values()), list(first.values()))
    part = better("", first, second, scale=0.5)
    assert part.p_for == pytest.approx(float(test.pvalue), rel=1e-9)
    low, high = test.confidence_interval()
    assert (part.estimate, part.low, part.high) == pytest.approx((2 * 1.375, 2 * low, 2 * high))
    assert better("", second, first).p_against == part.p_for
    assert better("", second, first).p_for == 1.0


def test_diverged_runs_lose():
    lost = dict.fromkeys(SEEDS, math.nan)
    finite = dict.fromkeys(SEEDS, 3.0)
    assert better("", finite, lost).p_for == pytest.approx(2 * 0.5**6)
    assert better("", lost, finite).p_against == pytest.approx(2 * 0.5**6)


def test_equivalence_within_and_beyond_the_margin():
    first, second = dict.fromkeys(range(4), 0.0), dict(enumerate((0.02, -0.01, 0.01, 0.0)))
    d = np.array(list(second.values()))
    t = (d.mean() - 0.1) / (d.std(ddof=1) / 2)
    assert alike("", first, second, 0.1).p_for == pytest.approx(float(stats.t.cdf(t, 3)))
    far = {seed: value + 1 for seed, value in second.items()}
    assert alike("", first, far, 0.1).p_for > 0.99
    assert alike("", first, far, 0.1).p_against < 1e-3


def test_the_interval_of_a_rank_correlation():
    """rho is 1 - 6 sum d^2 / (n (n^2 - 1)) = 0.9 for one exchange of neighbours among five."""
    printed = {str(n): float(n) for n in range(5)}
    measured = {str(n): [value] for n, value in enumerate((0.0, 2.0, 1.0, 3.0, 4.0))}
    part = same_order("", printed, measured, "cells")
    se = math.sqrt((1 + 0.9**2 / 2) / 2)
    assert part.estimate == pytest.approx(0.9)
    assert part.low == pytest.approx(math.tanh(math.atanh(0.9) - 1.959964 * se), rel=1e-6)
    assert part.p_for == pytest.approx(2 * stats.norm.sf((math.atanh(0.9) - math.atanh(0.5)) / se))


def test_the_share_of_diverged_runs():
    part = most("", 6, 6, expected=True)
    assert part.p_for == pytest.approx(2 * 0.5**6)
    assert (part.low, part.high) == pytest.approx((0.025 ** (1 / 6), 1.0))
    assert most("", 6, 6, expected=False).p_against == part.p_for
