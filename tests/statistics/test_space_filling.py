"""Space-filling order. Mistakes: a value is missing in a long part of the order; the order depends on the scale."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from gansweep.statistics.space_filling import space_filling_order

OPTIMIZERS, RATES, LOSSES = ["adam", "sgd", "rmsprop", "lion"], [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10], ["r1", "hinge"]


def test_every_part_takes_all_values_about_equally_often():
    grid = list(itertools.product(OPTIMIZERS, RATES, LOSSES))
    order = space_filling_order(grid)
    assert sorted(order) == list(range(len(grid)))
    for n in range(1, len(grid)):
        for column, values in zip(
            zip(*[grid[k] for k in order[:n]], strict=True), (OPTIMIZERS, RATES, LOSSES), strict=True
        ):
            counts = [Counter(column)[value] for value in values]
            assert max(counts) - min(counts) <= 2, (n, counts)


def test_rates_are_refined_from_coarse_to_fine_independently_of_their_scale():
    order = space_filling_order([(rate,) for rate in range(9)])
    assert order[:3] == [4, 0, 8]
    assert set(order[3:5]) == {2, 6}
    assert space_filling_order([(10.0**rate,) for rate in range(9)]) == order
    assert space_filling_order([(rate,) for rate in reversed(range(9))])[0] == 4


@pytest.mark.parametrize("seed", range(3))
def test_among_points_without_repeated_values_it_is_a_greedy_maximin_design(seed):
    """The independent implementation uses all distances and scipy."""
    points = np.random.default_rng(seed).permuted(np.tile(np.arange(20), (3, 1)), axis=1).T
    distances = cdist(points / 19, points / 19, "cityblock")
    order = space_filling_order(points.tolist())
    assert order[0] == np.abs(points / 19 - 0.5).sum(axis=1).argmin()
    for n in range(1, 20):
        left = [k for k in range(20) if k not in order[:n]]
        nearest = distances[np.ix_(left, order[:n])].min(axis=1)
        assert distances[order[n], order[:n]].min() == pytest.approx(nearest.max())


def test_without_varied_settings_the_order_is_kept():
    assert space_filling_order([(), ()]) == [0, 1]
    assert space_filling_order([]) == []
