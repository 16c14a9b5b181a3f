from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from gansweep.statistics.equivalence import equivalence_p, power_of_equivalence, seeds_for_equivalence
from gansweep.statistics.holm import holm
from gansweep.statistics.paired import compare_all


def test_is_the_larger_of_two_one_sided_t_tests():
    d = np.random.default_rng(0).normal(0.1, 0.3, 8)
    sides = [stats.ttest_1samp(d, -0.5, alternative="greater"), stats.ttest_1samp(d, 0.5, alternative="less")]
    assert equivalence_p(d, 0.5) == pytest.approx(max(side.pvalue for side in sides), rel=1e-10)


def test_equal_differences_have_no_t_but_a_sign():
    assert equivalence_p(np.zeros(5), 0.1) == 2**-5
    assert equivalence_p(np.full(5, 0.1), 0.1) == 1
    assert equivalence_p(np.zeros(1), 0.1) == 1
    with pytest.raises(ValueError, match="margin=0"):
        equivalence_p(np.zeros(3), 0.0)


def test_the_error_at_the_margin_is_the_level():
    d = np.random.default_rng(1).normal(1.0, 0.3, (20_000, 6))
    assert np.mean([equivalence_p(row, 1.0) <= 0.05 for row in d]) == pytest.approx(0.05, abs=0.005)


@pytest.mark.parametrize(("n", "difference"), [(6, 0.0), (12, 0.3), (20, -0.5)])
def test_the_power_is_that_of_a_simulation(n, difference):
    d = np.random.default_rng(2).normal(difference, 1.0, (20_000, n))
    found = np.mean([equivalence_p(row, 1.0) <= 0.05 for row in d])
    assert power_of_equivalence(n, difference, 1.0, 1.0, 0.05) == pytest.approx(found, abs=0.012)


def test_the_needed_seeds_are_the_first_with_the_power():
    n = seeds_for_equivalence(0.2, 1.0, 0.8, 0.05)
    assert n is not None
    assert power_of_equivalence(n - 1, 0.2, 1.0, 0.8, 0.05) < 0.8 <= power_of_equivalence(n, 0.2, 1.0, 0.8, 0.05)
    assert seeds_for_equivalence(0.8, 1.0, 0.8, 0.05) is None


def test_factors_of_holm_are_at_most_the_number_of_true_hypotheses():
    assert holm([0.01, 0.02, 0.03, 0.5], max_true=2).tolist() == pytest.approx([0.02, 0.04, 0.06, 0.5])
    assert holm([0.01, 0.5]).tolist() == holm([0.01, 0.5], max_true=2).tolist()


def _scores(values):
    return [dict(enumerate(row)) for row in values]


def test_verdicts_of_equal_near_and_far_configurations():
    rng = np.random.default_rng(3)
    seeds = rng.normal(0, 1.0, 12)
    rows = [seeds + shift + rng.normal(0, 0.05, 12) for shift in (10.0, 10.02, 12.0)]
    near, far, _ = compare_all(_scores(rows), [(0, 1), (0, 2), (1, 2)], margin=0.5)
    assert near.equivalent()
    assert not near.beaten()
    assert far.beaten()
    assert not far.equivalent()
    without = compare_all(_scores(rows), [(0, 1)])[0]
    assert (without.margin, without.equivalence, without.equivalent()) == (None, 1.0, False)


def test_a_significant_difference_within_the_margin_is_an_equivalence():
    rows = [np.arange(8.0), np.arange(8.0) + 0.1 + np.tile([0.0, 0.001], 4)]
    (one,) = compare_all(_scores(rows), [(0, 1)], margin=1.0)
    assert one.adjusted < 1e-6
    assert one.equivalent()
    assert not one.beaten()


def test_a_run_without_a_value_is_never_equivalent():
    (one,) = compare_all(_scores([[1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, np.nan]]), [(0, 1)], margin=5.0)
    assert one.equivalence == 1


@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_the_familywise_error_is_at_most_the_level(shift):
    """shift=0: every difference is a false one. shift=margin: every equivalence is a false one."""
    rng, pairs, wrong = np.random.default_rng(4), [(0, 1), (0, 2), (0, 3)], 0
    for _ in range(800):
        rows = rng.normal(0, 1.0, (4, 6))
        rows[1:] += shift * np.array([[1], [-1], [1]])
        tests = compare_all(_scores(rows), pairs, margin=1.0)
        wrong += any(test.beaten() if shift == 0 else test.equivalent() for test in tests)
    assert wrong / 800 <= 0.065


@pytest.mark.parametrize("is_lower", [True, False])
def test_the_error_rate_with_a_margin_in_percent_of_the_best_mean(is_lower):
    """The margin is estimated from the same runs, as with --margin 20%; the true difference is as large."""
    rng, wrong, count = np.random.default_rng(5), 0, 1500
    for _ in range(count):
        rows = rng.normal(0, 0.4, (2, 8)) + np.array([[5.0], [6.0 if is_lower else 4.0]])
        means = rows.mean(axis=1)
        margin = 0.2 * float(means.min() if is_lower else means.max())
        (test,) = compare_all(_scores(rows if is_lower else -rows), [(0, 1)], margin=margin)
        wrong += test.equivalent()
    assert wrong / count <= 0.05 + 3 * (0.05 * 0.95 / count) ** 0.5
