"""Wasserstein-1 distance.

Mistakes: greedy matching, squared distances, points matched with themselves.
"""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest
import torch
from metric_fakes import Given

from gansweep.metrics.wasserstein1 import Wasserstein1, wasserstein1


def points(count: int, seed: int) -> torch.Tensor:
    return torch.randn(count, 2, generator=torch.Generator().manual_seed(seed))


def test_translation():
    x = points(100, 1)
    assert wasserstein1(x, x[torch.randperm(100)] + torch.tensor([0.3, 0.4])) == pytest.approx(0.5, rel=1e-6)


def test_identical_sets():
    x = points(100, 1)
    assert wasserstein1(x, x.flip(0)) == 0


def test_one_dimension_equals_the_difference_of_sorted_values():
    a, b = points(50, 1)[:, 0], points(50, 2)[:, 0] * 3
    line = [torch.stack([v, torch.zeros(50)], 1) for v in (a, b)]
    expected = np.abs(np.sort(a.double().numpy()) - np.sort(b.double().numpy())).mean()
    assert wasserstein1(*line) == pytest.approx(expected, rel=1e-12)


def test_equals_the_best_of_all_matchings():
    a, b = points(6, 3).double(), points(6, 4).double()
    best = min((a - b[list(order)]).norm(dim=1).mean().item() for order in permutations(range(6)))
    assert wasserstein1(a, b) == pytest.approx(best, rel=1e-12)


def test_precision_for_close_points_far_from_the_origin():
    x = points(64, 5).double() + 1000
    assert wasserstein1(x, x + torch.tensor([1e-6, 0.0])) == pytest.approx(1e-6, rel=1e-4)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_non_finite_points(bad):
    with pytest.raises(ValueError, match="not finite"):
        wasserstein1(torch.zeros(2, 2), torch.tensor([[0.0, bad], [0.0, 0.0]]))


def test_metric_uses_a_fixed_subset():
    data, metric = Given(points(500, 1)), Wasserstein1(num_samples=100)
    real = metric(data, points(100, 2))
    assert metric(data, points(100, 2)) == real
    floor = metric.floor(data)
    assert floor is not None
    assert 0.05 < floor < 0.5
    assert real < 2 * floor
    assert metric(data, torch.zeros(100, 2)) > 3 * floor


def test_floor_uses_disjoint_subsets():
    data = Given(points(200, 1))
    floor = Wasserstein1(num_samples=2048).floor(data)
    assert floor is not None
    assert floor > 0.05


def test_wrong_number_of_points():
    with pytest.raises(ValueError, match="num_samples=100"):
        Wasserstein1(100)(Given(points(500, 1)), points(99, 2))
    with pytest.raises(ValueError, match="given has 50 points"):
        Wasserstein1(100)(Given(points(50, 1)), points(100, 2))
    with pytest.raises(ValueError, match="num_samples=0"):
        Wasserstein1(0)


@pytest.mark.parametrize(("shape", "hint"), [((1, 8, 8), "metric=digits"), ((3, 8, 8), "metric=inception")])
def test_check_of_images_suggests_metrics(shape, hint):
    with pytest.raises(ValueError, match=hint):
        Wasserstein1().check(Given(torch.zeros(4, *shape)))
    Wasserstein1(num_samples=4).check(Given(torch.zeros(4, 2)))


def test_check_of_more_points_than_the_data_set():
    with pytest.raises(ValueError, match="num_samples=5"):
        Wasserstein1(num_samples=5).check(Given(torch.zeros(4, 2)))
