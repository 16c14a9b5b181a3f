from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from gansweep.statistics.holm import holm
from gansweep.statistics.paired import (
    MAX_SEEDS,
    compare,
    compare_all,
    power_of_sign,
    power_of_t,
    seeds_for_sign,
    seeds_for_t,
)

NAN = float("nan")


def seeds(values):
    return dict(enumerate(values))


def test_paired_t_is_scipys():
    rng = np.random.default_rng(0)
    a = rng.normal(5, 1, 6)
    b = a + rng.normal(0.4, 0.3, 6)
    found = compare(seeds(a), seeds(b))
    assert found.p == pytest.approx(stats.ttest_rel(a, b).pvalue, rel=1e-10)
    assert found.sign == -1
    assert found.difference == pytest.approx((a - b).mean())
    assert compare(seeds(b), seeds(a)).sign == 1


def test_only_common_seeds_are_compared_whatever_their_order():
    found = compare({0: 1.0, 1: 2.0, 5: 99.0}, {1: 3.5, 0: 2.0, 7: -99.0})
    assert found.num_seeds == 2
    assert found.difference == pytest.approx(-1.25)


def test_a_run_without_a_value_loses():
    """Mistake: N/A is dropped from a mean, and the diverging setting wins."""
    a, b = [1.0] * 8, [0.5] * 2 + [NAN] * 6
    found = compare(seeds(a), seeds(b))
    assert found.test == "sign"
    assert found.sign == -1
    assert found.p == pytest.approx(stats.binomtest(6, 8).pvalue)
    both = compare(seeds([NAN, NAN]), seeds([NAN, NAN]))
    assert both.sign == 0
    assert both.p == 1


def test_one_seed_says_nothing():
    found = compare(seeds([1.0]), seeds([2.0]))
    assert found.p == 1
    assert not found.beaten()
    assert found.more_seeds() is None
    assert compare({0: 1.0}, {1: 2.0}).num_seeds == 0


def test_holm_is_statsmodels_and_known():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    p = np.random.default_rng(1).uniform(0, 0.2, 20)
    assert holm(p) == pytest.approx(multitest.multipletests(p, method="holm")[1])
    # Pairs that were left out count as tested and not rejected.
    assert holm(p[:5], 20) == pytest.approx(multitest.multipletests([*p[:5], *[1.0] * 15], method="holm")[1][:5])
    with pytest.raises(ValueError, match="family=2"):
        holm([0.1, 0.2, 0.3], family=2)


def test_equal_settings_seldom_differ_significantly():
    """Of sweeps of five equal settings at most one in twenty may name a winner among any pair."""
    rng, wrong = np.random.default_rng(2), 0
    pairs = list(itertools.combinations(range(5), 2))
    for _ in range(400):
        scores = [seeds(rng.normal(size=4)) for _ in range(5)]
        wrong += any(one.beaten() for one in compare_all(scores, pairs))
    assert wrong / 400 < 0.05 + 3 * (0.05 * 0.95 / 400) ** 0.5


def test_a_clear_difference_is_found_and_an_unclear_one_says_what_it_would_take():
    noise = np.random.default_rng(3).normal(0, 0.1, (3, 5))
    scores = [seeds(mean + row) for mean, row in zip((1.0, 1.03, 5.0), noise, strict=True)]
    near, far = compare_all(scores, [(0, 1), (0, 2)])
    assert far.beaten()
    assert far.sign == -1
    assert (not near.beaten() and near.more_seeds() is None) or near.more_seeds() > 3


def test_power_is_statsmodels():
    power = pytest.importorskip("statsmodels.stats.power")
    for n, effect, level in [(3, 1.0, 0.05), (12, 0.7, 0.01), (40, -0.3, 0.05)]:
        expected = power.TTestPower().power(effect, n, level)
        assert power_of_t(n, effect, level) == pytest.approx(expected, rel=1e-6)
    solved = power.TTestPower().solve_power(0.6, power=0.8, alpha=0.02)
    assert seeds_for_t(0.6, 0.02) == int(np.ceil(solved))


def test_power_of_the_sign_test_is_a_sum_over_binomials():
    n, share, level = 11, 0.8, 0.05
    rejected = [k for k in range(n + 1) if stats.binomtest(k, n).pvalue <= level]
    assert power_of_sign(n, share, level) == pytest.approx(stats.binom.pmf(rejected, n, share).sum())
    assert power_of_sign(4, 1.0, 0.05) == 0, "four heads in a row are no evidence at 5 %"
    assert seeds_for_sign(1.0, 0.001) == 11


def test_no_difference_needs_no_number_of_seeds():
    assert seeds_for_t(0.0, 0.05) is None
    assert seeds_for_t(0.01, 0.05) is None
    assert seeds_for_sign(0.5, 0.05) is None
    assert seeds_for_t(0.1, 0.05) <= MAX_SEEDS
    assert seeds_for_t(50.0, 0.05) == 2
