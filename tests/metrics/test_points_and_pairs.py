"""Mistakes: directions that are not unit, modes counted through bad points, decibels of the wrong range."""

from __future__ import annotations

import math

import pytest
import torch

from gansweep.metrics.mode_coverage import mode_coverage
from gansweep.metrics.psnr import psnr
from gansweep.metrics.sliced_wasserstein1 import sliced_wasserstein1
from gansweep.metrics.wasserstein1 import wasserstein1


def test_sliced_distance_of_a_translation():
    # The mean of |cos| is 2 / pi.
    x = torch.randn(200, 2, generator=torch.Generator().manual_seed(1))
    moved = x.flip(0) + torch.tensor([0.3, 0.4])
    assert sliced_wasserstein1(x, moved, 4096) == pytest.approx(0.5 * 2 / math.pi, rel=0.03)
    assert sliced_wasserstein1(x, x.flip(0)) == 0


def test_sliced_distance_is_below_the_exact_one():
    g = torch.Generator().manual_seed(2)
    a, b = torch.randn(60, 2, generator=g), torch.rand(60, 2, generator=g) * 3
    assert 0 < sliced_wasserstein1(a, b) < wasserstein1(a, b)
    assert sliced_wasserstein1(a, b) == sliced_wasserstein1(b, a)


def test_sliced_distance_in_one_dimension_is_exact():
    g = torch.Generator().manual_seed(3)
    a, b = torch.randn(50, 1, generator=g), torch.rand(50, 1, generator=g)
    assert sliced_wasserstein1(a, b, 3) == pytest.approx(wasserstein1(a, b), rel=1e-12)


@pytest.mark.parametrize("bad", [torch.zeros(3, 2), torch.full((4, 2), math.nan)])
def test_points_that_cannot_be_compared_are_refused(bad):
    with pytest.raises(ValueError, match="expected equal|not finite"):
        sliced_wasserstein1(torch.zeros(4, 2), bad)


def test_a_bad_point_reaches_no_mode():
    ring = torch.tensor([[math.cos(a), math.sin(a)] for a in torch.arange(8) * math.pi / 4])
    points = torch.cat([ring[:5] * 1.05, ring[5:6] * 1.2, torch.zeros(2, 2)])
    assert mode_coverage(points, 1 * ring, 0.06) == (5, pytest.approx(5 / 8))
    assert mode_coverage(points, ring, 0.3) == (6, pytest.approx(6 / 8))


def test_decibels():
    x = torch.rand(3, 1, 4, 4, generator=torch.Generator().manual_seed(4)) - 0.5
    assert psnr(x + 0.2, x) == pytest.approx(20, rel=1e-5)
    assert psnr((x + 0.2) / 2, x / 2, value_range=1.0) == pytest.approx(20, rel=1e-5)
    assert psnr(x, x) == math.inf
    with pytest.raises(ValueError, match="do not pair"):
        psnr(x, x[:2])
