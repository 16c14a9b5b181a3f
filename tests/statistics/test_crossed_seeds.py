"""Means over crossed seeds, by simulation. Mistakes: runs that share a seed counted as independent, a kind left out."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from gansweep.statistics.crossed_seeds import error_of_mean, factors, fewest, independent, resample
from gansweep.statistics.equivalence import equivalence_p
from gansweep.statistics.estimate import estimate
from gansweep.statistics.paired import compare, compare_all
from gansweep.statistics.ranking import rank_probabilities
from gansweep.statistics.tasks import interquartile_mean, stratified_interval


def grid(*sizes):
    return list(itertools.product(*map(range, sizes)))


def draws(rng, levels, variances, rest=1.0):
    """Return values of crossed random effects with mean 0."""
    values = rng.normal(0, rest**0.5, len(levels))
    for column, variance in zip(np.array(levels).T, variances, strict=True):
        values = values + rng.normal(0, variance**0.5, column.max() + 1)[column]
    return values


@pytest.mark.parametrize(
    ("sizes", "variances"), [((3, 3), (4, 0)), ((5, 5), (1, 1)), ((3, 3, 3), (0, 4, 0)), ((4, 4), (0, 0))]
)
def test_the_interval_of_crossed_seeds_covers_the_mean(sizes, variances):
    rng, levels = np.random.default_rng(0), grid(*sizes)
    inside, as_independent = 0, 0
    for _ in range(250):
        values = draws(rng, levels, variances)
        found, naive = estimate(values, levels=levels), estimate(values, method="t")
        inside += found.low <= 0 <= found.high
        as_independent += naive.low <= 0 <= naive.high
    assert found.method == "crossed"
    assert inside / 250 >= 0.92
    assert sum(variances) == 0 or as_independent / 250 < 0.85


def test_the_error_of_a_mean_is_the_realised_one():
    """With two kinds of equal weight and little residual the sum of the variances is nearly unbiased."""
    rng, levels = np.random.default_rng(1), grid(6, 6)
    samples = [draws(rng, levels, (2, 2), rest=0.1) for _ in range(2000)]
    errors = [error_of_mean(values, factors(levels))[0] ** 2 for values in samples]
    assert np.mean(errors) == pytest.approx(np.var([values.mean() for values in samples]), rel=0.08)


def test_a_constant_within_each_seed_is_one_value():
    """Of a kind without any effect of the other, the interval is that of its levels."""
    values = np.repeat([1.0, 2.0, 6.0], 4)
    found, levels = estimate(values, levels=grid(3, 4)), estimate([1.0, 2.0, 6.0])
    assert (found.low, found.high) == pytest.approx((levels.low, levels.high))


def test_the_error_rate_of_the_paired_test():
    rng, levels = np.random.default_rng(2), grid(3, 3, 3)
    by_seed, wrong, naive = dict(enumerate(levels)), 0, 0
    for _ in range(300):
        first, second = (dict(enumerate(draws(rng, levels, (1, 0.5, 0)))) for _ in range(2))
        wrong += compare(first, second, by_seed).p <= 0.05
        naive += compare(first, second).p <= 0.05
    assert wrong / 300 <= 0.065
    assert naive / 300 > 0.2


def test_the_error_rate_of_equivalence():
    rng, levels = np.random.default_rng(3), grid(4, 4)
    found = [equivalence_p(draws(rng, levels, (1, 1), 0.2) + 2.0, 2.0, factors(levels)) <= 0.05 for _ in range(400)]
    assert np.mean(found) <= 0.065


def test_further_seeds_are_counted_per_kind():
    """Two kinds with 4 seeds each have the variance of a quarter of one seed: 4 times as many seeds halve the error."""
    rng, levels = np.random.default_rng(4), grid(4, 4)
    values = draws(rng, levels, (1, 1), 0.1)
    first = dict(enumerate(values - values.mean() + 0.6))
    (test,) = compare_all([first, dict.fromkeys(first, 0.0)], [(0, 1)], levels=dict(enumerate(levels)))
    assert test.num_levels == 4
    assert test.test == "t"
    assert test.num_seeds == 16
    more = test.more_seeds()
    assert more is not None
    assert more < 1000
    assert (4 + more) / 4 == pytest.approx((test.repetitions + more * test.repetitions / 4) / test.repetitions)


def test_na_runs_are_counted_by_independent_runs():
    """27 runs that all win are 3 independent wins, which are no evidence."""
    levels = dict(enumerate(grid(3, 3, 3)))
    first, second = dict.fromkeys(levels, 1.0), dict.fromkeys(levels, float("nan"))
    test = compare(first, second, levels)
    assert (test.test, test.num_seeds, test.p) == ("sign", 3, 0.25)
    assert compare(first, second).p < 1e-7


def test_factors():
    assert factors([(0, 0), (1, 1), (2, 2)]).shape == (3, 0)  # varied together: independent
    assert factors([(0, 5), (0, 5), (1, 6), (1, 6)]).tolist() == [[0], [0], [1], [1]]  # two equal kinds
    assert factors([(0, 5, 1), (0, 6, 2), (1, 7, 3), (1, 8, 4)]).tolist() == [[0], [0], [1], [1]]  # nested
    assert factors([(0, 0, 3), (0, 1, 3), (1, 0, 3), (1, 1, 3)]).shape == (4, 2)  # a constant kind
    assert independent(factors(grid(3, 4))) == [0, 5, 10]
    assert fewest(factors(grid(3, 4))) == 3
    assert fewest(np.empty((7, 0), int)) == 7


def test_resamples_keep_seeds_together():
    rng, crossed = np.random.default_rng(5), factors(grid(3, 3))
    for _ in range(20):
        counts = np.bincount(resample(crossed, rng), minlength=9).reshape(3, 3)
        assert counts.sum() == 9
        assert np.linalg.matrix_rank(counts) == 1
    assert len(resample(np.empty((6, 0), int), rng)) == 6


def test_bootstraps_use_the_seeds_of_each_kind():
    rng, levels = np.random.default_rng(6), grid(6, 6)
    values = draws(rng, levels, (4, 0), 0.01)
    crossed = factors(levels)
    low, high = stratified_interval(interquartile_mean, [values], crossed=[[crossed]], resamples=300)
    naive = stratified_interval(interquartile_mean, [values], resamples=300)
    assert high - low > 1.5 * (naive[1] - naive[0])
    first = rank_probabilities(np.array([values, np.zeros(36)]), 300, crossed)[0, 0]
    naive_first = rank_probabilities(np.array([values, np.zeros(36)]), 300)[0, 0]
    assert 0.5 - abs(first - 0.5) > 0.5 - abs(naive_first - 0.5)
