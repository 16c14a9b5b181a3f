"""Response curves on known functions. Mistakes: the noise in the band, a linear axis for rates, another sign."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.interpolate import make_smoothing_spline

from gansweep.statistics.response_curve import hat_matrix, response_curve


def values(rng, rates, noise):
    """Return noisy values of a parabola in log10 of the rate, with its minimum 10 at 1e-3."""
    return 10 + 4 * (np.log10(rates) + 3) ** 2 + rng.normal(0, noise, len(rates))


def test_the_band_covers_the_curve():
    rng, covered, widths = np.random.default_rng(0), [], []
    for _ in range(40):
        rates = 10 ** rng.uniform(-5, -1, 40)
        found = response_curve(rates, values(rng, rates, 1.0))
        true = 10 + 4 * (np.log10(found.settings) + 3) ** 2
        covered.append(np.mean((found.low <= true) & (true <= found.high)))
        widths.append(np.median(found.high - found.low))
    assert np.mean(covered) >= 0.85
    assert np.mean(widths) < 2.5  # a band that included the noise would be 4 wide


def test_the_best_setting_is_found():
    rng = np.random.default_rng(1)
    rates = np.geomspace(1e-5, 1e-1, 9).repeat(3)
    found = response_curve(rates, values(rng, rates, 0.5))
    assert found.settings[found.best] == pytest.approx(1e-3, rel=0.5)
    low, high = found.not_excluded
    assert low <= 1e-3 <= high
    assert low > 1e-5
    assert high < 1e-1


def test_wide_values_are_fitted_by_their_logarithm():
    rates = np.geomspace(1e-5, 1e-1, 9)
    found = response_curve(rates, 10 ** (1 + (np.log10(rates) + 3) ** 2))
    assert (found.low > 0).all()
    assert found.mean[50] == pytest.approx(10, rel=0.3)


def test_a_constant_and_too_few_settings():
    assert response_curve([1, 2, 3, 4, 4], [1, 2, 3, 4, 5]) is None
    found = response_curve([1, 2, 3, 4, 5], [2.0] * 5)
    assert (found.mean == 2).all()
    assert found.not_excluded == pytest.approx((1.0, 5.0))


def test_the_hat_matrix_is_that_of_scipy():
    rng = np.random.default_rng(2)
    x, y, weights = np.sort(rng.uniform(size=12)), rng.normal(size=12), rng.integers(1, 4, 12).astype(float)
    for penalty in (1e-4, 1e-2, 1.0):
        fitted = make_smoothing_spline(x, y, weights, penalty)(x)
        assert hat_matrix(x, weights, penalty) @ y == pytest.approx(fitted, rel=1e-6, abs=1e-6)
