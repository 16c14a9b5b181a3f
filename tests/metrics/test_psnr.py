"""PSNR.

Mistakes: PSNR of the pooled error, infinite values included, versions compared with other images.
"""

from __future__ import annotations

import math

import pytest
import torch
from metric_fakes import Given

from gansweep.metrics.psnr import PSNR, held_out, psnr, psnr_of_each, summary


def test_known_values():
    x = torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64) / 2
    assert psnr_of_each(x + 0.1, x, value_range=1.0).tolist() == pytest.approx([20.0] * 3)  # an MSE of 0.01
    assert psnr_of_each(x + 1 / 255, x, value_range=1.0).tolist() == pytest.approx([48.1308] * 3, abs=5e-5)
    ours = psnr_of_each(2 * (x + 0.1) - 1, 2 * x - 1)
    assert ours.tolist() == pytest.approx([20.0] * 3)


@pytest.mark.parametrize(
    ("decibels", "mse", "grey_levels"), [(21, 0.0079433, 22.73), (26, 0.0025119, 12.78), (30, 0.001, 8.06)]
)
def test_errors_that_correspond_to_printed_means(decibels, mse, grey_levels):
    x = torch.zeros(1, 1, 2, 2, dtype=torch.float64)
    assert psnr_of_each(x + math.sqrt(mse), x, 1.0).item() == pytest.approx(decibels, abs=1e-4)
    assert 255 * math.sqrt(mse) == pytest.approx(grey_levels, abs=5e-3)


def test_mean_over_images_is_above_the_psnr_of_the_pooled_error():
    x = torch.zeros(2, 1, 4, 4)
    spoiled = x + torch.tensor([0.02, 0.2]).view(2, 1, 1, 1)
    assert psnr_of_each(spoiled, x).tolist() == pytest.approx([40.0, 20.0], rel=1e-5)
    assert summary(psnr_of_each(spoiled, x)).mean == pytest.approx(30.0, rel=1e-5)
    assert psnr(spoiled, x) == pytest.approx(22.967, abs=1e-3)


def test_equal_images_are_excluded_and_counted():
    statistics = summary(torch.tensor([20.0, math.inf, 24.0], dtype=torch.float64))
    assert statistics == (22.0, pytest.approx(math.sqrt(8)), 1)
    assert summary(torch.tensor([math.inf])) is None
    assert summary(torch.tensor([20.0])) == (20.0, 0.0, 0)


def test_metric_compares_every_version_with_its_image():
    images = torch.rand(12, 1, 4, 4, generator=torch.Generator().manual_seed(2)) / 2
    data, metric = Given(images), PSNR(num_images=5, versions=2)
    test = images[held_out(12, 5).test]
    assert metric.num_samples == 10
    assert metric(data, torch.cat([test + 0.2, test + 0.02])) == pytest.approx(30.0, rel=1e-4)
    assert metric(data, torch.cat([test, test.flip(0) + 0.02])) < 30.0
    with pytest.raises(ValueError, match="9 restored images: psnr is set to 10"):
        metric(data, test.repeat(2, 1, 1, 1)[:9])
    with pytest.raises(ValueError, match="restored exactly"):
        metric(data, test.repeat(2, 1, 1, 1))
    with pytest.raises(ValueError, match="num_images=12: .* at most 11"):
        PSNR(12).check(data)
    with pytest.raises(ValueError, match="versions=0"):
        PSNR(versions=0)


def test_training_and_test_images_are_disjoint():
    train, test = held_out(50, 8)
    assert sorted([*train.tolist(), *test.tolist()]) == list(range(50))
    assert len(test) == 8
    assert test.tolist() != sorted(test.tolist())
    for num_test in (0, 50):
        with pytest.raises(ValueError, match=f"{num_test} of 50 samples held out"):
            held_out(50, num_test)
