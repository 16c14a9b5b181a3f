"""Mistakes: a greedy matching, squared distances, points paired with themselves, no floor."""

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


def test_on_a_line_it_is_the_difference_of_sorted_values():
    a, b = points(50, 1)[:, 0], points(50, 2)[:, 0] * 3
    line = [torch.stack([v, torch.zeros(50)], 1) for v in (a, b)]
    expected = np.abs(np.sort(a.double().numpy()) - np.sort(b.double().numpy())).mean()
    assert wasserstein1(*line) == pytest.approx(expected, rel=1e-12)


def test_best_of_all_matchings():
    a, b = points(6, 3).double(), points(6, 4).double()
    best = min((a - b[list(order)]).norm(dim=1).mean().item() for order in permutations(range(6)))
    assert wasserstein1(a, b) == pytest.approx(best, rel=1e-12)


def test_close_points_far_from_the_origin_keep_their_digits():
    x = points(64, 5).double() + 1000
    assert wasserstein1(x, x + torch.tensor([1e-6, 0.0])) == pytest.approx(1e-6, rel=1e-4)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_points_that_are_not_finite_give_no_number(bad):
    with pytest.raises(ValueError, match="not finite"):
        wasserstein1(torch.zeros(2, 2), torch.tensor([[0.0, bad], [0.0, 0.0]]))


def test_metric_compares_as_many_points_always_the_same():
    data, metric = Given(points(500, 1)), Wasserstein1(num_samples=100)
    real = metric(data, points(100, 2))
    assert metric(data, points(100, 2)) == real
    floor = metric.floor(data)
    assert floor is not None
    assert 0.05 < floor < 0.5
    assert real < 2 * floor
    assert metric(data, torch.zeros(100, 2)) > 3 * floor


def test_floor_does_not_match_points_with_themselves():
    data = Given(points(200, 1))
    floor = Wasserstein1(num_samples=2048).floor(data)
    assert floor is not None
    assert floor > 0.05


def test_another_number_of_points_or_too_few_are_refused():
    with pytest.raises(ValueError, match="num_samples=100"):
        Wasserstein1(100)(Given(points(500, 1)), points(99, 2))
    with pytest.raises(ValueError, match="given has 50 points"):
        Wasserstein1(100)(Given(points(50, 1)), points(100, 2))
    with pytest.raises(ValueError, match="num_samples=0"):
        Wasserstein1(0)


@pytest.mark.parametrize(("shape", "hint"), [((1, 8, 8), "metric=digits"), ((3, 8, 8), "metric=inception")])
def test_images_are_refused_with_a_hint(shape, hint):
    with pytest.raises(ValueError, match=hint):
        Wasserstein1().check(Given(torch.zeros(4, *shape)))
    Wasserstein1(num_samples=4).check(Given(torch.zeros(4, 2)))


def test_more_points_than_there_are_is_refused_before_training():
    with pytest.raises(ValueError, match="num_samples=5"):
        Wasserstein1(num_samples=5).check(Given(torch.zeros(4, 2)))
