from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from gansweep.statistics.estimate import estimate

NAN = float("nan")


def test_runs_without_a_value_are_counted_and_in_no_mean():
    found = estimate([1.0, NAN, 2.0, 6.0, NAN])
    assert (found.mean, found.n, found.num_na) == (3.0, 3, 2)
    assert found.sd == pytest.approx(np.std([1, 2, 6], ddof=1))


def test_student_interval_is_scipys():
    values = [3.0, 4.5, 5.5, 9.0]
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    found = estimate(values, confidence=0.9, method="t")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-12)


@pytest.mark.parametrize(("method", "name"), [("bca", "BCa"), ("percentile", "percentile")])
def test_bootstrap_intervals_are_scipys(method, name):
    values = np.random.default_rng(4).gamma(2.0, 3.0, 30)
    expected = stats.bootstrap((values,), np.mean, method=name, n_resamples=20_000, rng=5).confidence_interval
    found = estimate(values, method=method)
    width = expected.high - expected.low
    assert abs(found.low - expected.low) < 0.04 * width
    assert abs(found.high - expected.high) < 0.04 * width
    assert estimate(values, method=method) == found, "the same at every call"


def test_few_seeds_get_an_interval_that_keeps_its_promise():
    """A 95 % bootstrap interval from three seeds contains the mean in 3 of 4 sweeps; ours must in 19 of 20."""
    rng = np.random.default_rng(0)

    def kept(method, n, sweeps=400):
        found = [estimate(rng.normal(5, 1, n), method=method) for _ in range(sweeps)]
        return np.mean([one.low <= 5 <= one.high for one in found])

    assert kept(None, 3) > 0.92
    assert 0.65 < kept("percentile", 3) < 0.85
    assert kept(None, 10) > 0.85


def test_without_enough_values_nothing_is_made_up():
    none, one, equal = estimate([NAN]), estimate([7.0, NAN]), estimate([7.0, 7.0])
    assert math.isnan(none.mean)
    assert none.n == 0
    assert none.method == ""
    assert one.mean == 7
    assert math.isnan(one.sd)
    assert math.isnan(one.low)
    assert (equal.low, equal.high) == (7, 7)


def test_an_unknown_method_is_named():
    with pytest.raises(ValueError, match="method='jackknife'.*bca"):
        estimate([1.0, 2.0], method="jackknife")
