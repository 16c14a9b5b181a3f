"""Metrics of points, and PSNR.

Mistakes: directions not normalised, non-finite points counted, wrong range.
"""

from __future__ import annotations

import math

import pytest
import torch
from metric_fakes import Given

from gansweep.data.grid import Grid
from gansweep.data.line import Line
from gansweep.data.ring import Ring
from gansweep.metrics.mode_coverage import ModeCoverage, mode_coverage
from gansweep.metrics.psnr import psnr
from gansweep.metrics.sliced_wasserstein1 import SlicedWasserstein1, sliced_wasserstein1
from gansweep.metrics.wasserstein1 import wasserstein1


def test_sliced_distance_of_a_translation():
    # The mean of |cos| is 2 / pi.
    x = torch.randn(200, 2, generator=torch.Generator().manual_seed(1))
    moved = x.flip(0) + torch.tensor([0.3, 0.4])
    assert sliced_wasserstein1(x, moved, 4096) == pytest.approx(0.5 * 2 / math.pi, rel=0.03)
    assert sliced_wasserstein1(x, x.flip(0)) == 0


def test_sliced_distance_is_below_w1():
    g = torch.Generator().manual_seed(2)
    a, b = torch.randn(60, 2, generator=g), torch.rand(60, 2, generator=g) * 3
    assert 0 < sliced_wasserstein1(a, b) < wasserstein1(a, b)
    assert sliced_wasserstein1(a, b) == sliced_wasserstein1(b, a)


def test_sliced_distance_in_one_dimension_is_exact():
    g = torch.Generator().manual_seed(3)
    a, b = torch.randn(50, 1, generator=g), torch.rand(50, 1, generator=g)
    assert sliced_wasserstein1(a, b, 3) == pytest.approx(wasserstein1(a, b), rel=1e-12)


@pytest.mark.parametrize("bad", [torch.zeros(3, 2), torch.full((4, 2), math.nan)])
def test_points_that_cannot_be_compared(bad):
    with pytest.raises(ValueError, match="expected equal|not finite"):
        sliced_wasserstein1(torch.zeros(4, 2), bad)


def test_non_finite_point_covers_no_mode():
    ring = torch.tensor([[math.cos(a), math.sin(a)] for a in torch.arange(8) * math.pi / 4])
    points = torch.cat([ring[:5] * 1.05, ring[5:6] * 1.2, torch.zeros(2, 2)])
    assert mode_coverage(points, 1 * ring, 0.06) == (5, pytest.approx(5 / 8))
    assert mode_coverage(points, ring, 0.3) == (6, pytest.approx(6 / 8))


@pytest.mark.parametrize("data", [Ring(num_modes=7), Grid(side=4, spacing=0.5)], ids=lambda data: data.name)
def test_points_of_the_data_cover_all_modes(data):
    share, count = ModeCoverage(10_000, "share"), ModeCoverage(10_000)
    assert count(data, data.samples) == len(data.centres)
    # a fraction 1 - exp(-9 / 2) of a two-dimensional normal distribution is within three standard
    # deviations
    assert share(data, data.samples) == pytest.approx(1 - math.exp(-4.5), abs=0.003)
    assert ModeCoverage(10_000, "share", 1.0)(data, data.samples) == pytest.approx(1 - math.exp(-0.5), abs=0.015)
    assert (count.name, share.name) == ("modes", "share_near_modes")
    assert count.fingerprint(data)["num_modes"] == len(data.centres)
    assert count.fingerprint(data)["num_stds"] == 3.0


def test_one_mode_and_points_between_modes():
    data, metric = Ring(), ModeCoverage(30)
    assert metric(data, data.centres[2].expand(30, 2)) == 1
    assert metric(data, torch.zeros(30, 2)) == 0
    assert ModeCoverage(30, "share")(data, data.centres[2].expand(30, 2)) == 1
    with pytest.raises(ValueError, match="num_samples=30"):
        metric(data, torch.zeros(29, 2))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (Line(), "line has no modes"),
        (Ring(std=0.0), "std=0.0: modes of ring"),
        (Given(torch.zeros(4, 1, 8, 8)), "choose metric=digits"),
    ],
    ids=["no modes", "no width", "images"],
)
def test_data_without_modes(data, message):
    with pytest.raises(ValueError, match=message):
        ModeCoverage().check(data)
    ModeCoverage().check(Grid())


def test_sliced_metric_uses_a_fixed_subset():
    data, metric = Ring(), SlicedWasserstein1(500, 64)
    fake = Ring(seed=5).samples[:500]
    value, floor = metric(data, fake), metric.floor(data)
    assert metric(data, fake) == value
    assert floor is not None
    assert floor > 0
    assert value < 3 * floor < metric(data, 0 * fake) / 3
    assert metric.name == "sliced_w1"
    assert metric.fingerprint(data) != SlicedWasserstein1(500, 65).fingerprint(data)


@pytest.mark.parametrize(
    ("make", "settings"),
    [
        (SlicedWasserstein1, {"num_directions": 0}),
        (ModeCoverage, {"num_samples": 0}),
        (ModeCoverage, {"quantity": "both"}),
        (ModeCoverage, {"num_stds": 0.0}),
        (ModeCoverage, {"num_stds": math.inf}),
    ],
)
def test_settings_out_of_range(make, settings):
    ((name, value),) = settings.items()
    with pytest.raises(ValueError, match=f"{name}={value}"):
        make(**settings)


def test_psnr():
    x = torch.rand(3, 1, 4, 4, generator=torch.Generator().manual_seed(4)) - 0.5
    assert psnr(x + 0.2, x) == pytest.approx(20, rel=1e-5)
    assert psnr((x + 0.2) / 2, x / 2, value_range=1.0) == pytest.approx(20, rel=1e-5)
    assert psnr(x, x) == math.inf
    with pytest.raises(ValueError, match="expected equal shapes"):
        psnr(x, x[:2])
