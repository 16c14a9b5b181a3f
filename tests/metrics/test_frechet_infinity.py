"""FD-infinity.

Mistakes: regression on N instead of 1/N, wrong standard error, subsets that share images.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from metric_fakes import Given, Pixels, uniform_images

from gansweep.metrics.frechet import FrechetDistance
from gansweep.metrics.frechet_infinity import FrechetInfinity, extrapolate, frechet_infinity
from gansweep.metrics.statistics import Statistics


def test_line_and_error_equal_those_of_numpy():
    sizes = torch.tensor([500.0, 900, 2000, 3000, 5000])
    values = 3 + 100 / sizes + 0.01 * torch.tensor([1.0, -2, 0.5, 1, -1])
    coefficients, covariance = np.polyfit((1 / sizes.double()).numpy(), values.double().numpy(), 1, cov=True)
    line = extrapolate(sizes, values)
    assert (line.slope, line.intercept) == pytest.approx(tuple(coefficients), rel=1e-9)
    assert line.standard_error == pytest.approx(covariance[1, 1] ** 0.5, rel=1e-9)


def test_bias_of_a_perfect_generator_is_removed():
    # Against the exact statistics of N(0, I_d) the slope is d + d (d + 1) / 4.
    d, g = 16, torch.Generator().manual_seed(1)
    exact = Statistics(torch.zeros(d).double(), torch.eye(d).double(), 10**9, is_root=False)
    line = frechet_infinity(exact, torch.randn(6000, d, generator=g))
    assert line.slope == pytest.approx(d + d * (d + 1) / 4, rel=0.15)
    assert abs(line.intercept) < 0.005


def test_metric_is_below_the_frechet_distance():
    data, fake = Given(uniform_images(300, 1)), uniform_images(200, 2) * 0.8
    line = FrechetInfinity(Pixels(), 200).estimate(data, fake)
    assert 0 < line.intercept < FrechetDistance(Pixels(), 200)(data, fake)
    assert line.standard_error > 0
    assert FrechetInfinity(Pixels(), 200).name == "fd_infinity_pixels"
    assert FrechetInfinity(Pixels(), 200).fingerprint(data)["n_real"] == 300
    with pytest.raises(ValueError, match="num_samples=200"):
        FrechetInfinity(Pixels(), 200)(data, fake[:150])


def test_settings_out_of_range():
    with pytest.raises(ValueError, match="num_points=2"):
        FrechetInfinity(Pixels(), 200, num_points=2)
    with pytest.raises(ValueError, match="num_samples=99"):
        FrechetInfinity(Pixels(), 99)
