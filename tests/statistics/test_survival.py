from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from gansweep.statistics.crossed_seeds import factors, independent
from gansweep.statistics.survival import fewest_seeds, log_rank, log_rank_p, survival


def test_is_the_product_of_kaplan_and_meier():
    rng = np.random.default_rng(0)
    life, watched = rng.exponential(10, 60).round(), rng.integers(1, 25, 60).astype(float)
    steps, dead = np.minimum(life, watched), life <= watched
    curve = survival(steps, dead)
    factors = [1 - (steps[dead] == t).sum() / (steps >= t).sum() for t in curve.steps[1:]]
    assert np.allclose(curve.share[1:], np.cumprod(factors), rtol=1e-12)


def test_runs_that_end_sound_do_not_make_it_fall():
    curve = survival([10, 10, 10], [False, False, False])
    assert [part.tolist() for part in curve] == [[0], [1], [1], [1]]


def test_a_divergence_at_step_0_counts():
    assert survival([0, 10], [True, False]).share[-1] == 0.5


def test_the_band_is_that_of_greenwood():
    steps, dead = np.arange(1.0, 11.0), np.ones(10, dtype=bool)
    curve = survival(steps, dead)
    share = curve.share[4]  # 4 of 10 diverged; sum of d / (n (n - d)) is (1 - S) / (n S)
    assert share == pytest.approx(0.6)
    half = 1.959964 * np.sqrt(0.4 / (10 * 0.6)) / np.log(share)
    assert [curve.high[4], curve.low[4]] == pytest.approx([share ** np.exp(half), share ** np.exp(-half)], rel=1e-5)
    assert (curve.low[-1], curve.high[-1]) == (0, 1), "the variance of a share of 0 is not estimable"


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_band_covers_the_true_share():
    rng, covered = np.random.default_rng(3), 0
    for _ in range(400):
        life = rng.exponential(10.0, 30)
        curve = survival(np.minimum(life, 12.0), life <= 12.0)
        at = np.searchsorted(curve.steps, 7.0, side="right") - 1
        covered += curve.low[at] <= np.exp(-0.7) <= curve.high[at]
    assert 0.92 <= covered / 400 <= 0.98


def _groups(rng, sizes=(9, 14), scale=(10.0, 10.0)):
    life = np.concatenate([rng.exponential(s, n) for s, n in zip(scale, sizes, strict=True)]).round(1)
    return np.minimum(life, 15), life <= 15, np.repeat([False, True], sizes)


def test_the_statistic_is_scipys():
    for seed in range(5):
        steps, dead, second = _groups(np.random.default_rng(seed), scale=(10, 5))
        x, y = (stats.CensoredData.right_censored(steps[s], ~dead[s]) for s in (~second, second))
        known = stats.logrank(x=x, y=y)
        assert abs(log_rank(steps, dead, second)) == pytest.approx(abs(known.statistic), rel=1e-12)


def test_it_is_positive_if_the_second_group_diverges_more():
    assert log_rank([5, 6, 10, 10], [True, True, False, False], [False, False, True, True]) < 0
    assert log_rank([5, 6, 10, 10], [True, True, False, False], [True, True, False, False]) > 0
    assert log_rank([10, 10], [False, False], [True, False]) == 0


def test_permutation_is_exact_for_few_runs():
    # Of the 20 divisions of six runs, only the observed one and its mirror image are as extreme.
    p = log_rank_p([1, 2, 3, 9, 9, 9], [True] * 3 + [False] * 3, [True] * 3 + [False] * 3)
    assert p == pytest.approx(2 / 20)
    assert log_rank_p([9, 9], [False, False], [True, False]) == 1
    assert log_rank_p([9, 9], [True, True], [True, True]) == 1


def test_the_false_positive_rate_is_at_most_the_level():
    rng = np.random.default_rng(1)
    p = [log_rank_p(*_groups(rng, (4, 5))) for _ in range(600)]
    assert np.mean(np.array(p) <= 0.05) <= 0.07
    steps, dead, second = _groups(np.random.default_rng(0), (40, 40), (20, 5))
    assert log_rank_p(steps, dead, second) < 1e-3, "drawn permutations find a fourfold rate"


def _lives(rng, rates, kinds, sd=1.0):
    """Return the steps to divergence of a method (rates, seeds); each seed of each kind has an effect at all rates."""
    levels = np.array(list(np.ndindex(*kinds)))
    x = np.log(10) + np.linspace(0.6, -0.6, rates)[:, None] + rng.normal(0, 0.5, (rates, len(levels)))
    for column, number in enumerate(kinds):
        x = x + rng.normal(0, sd, number)[levels[:, column]]
    return np.exp(x)


@pytest.mark.parametrize(
    ("rates", "kinds", "count"),
    [
        (3, (4,), 250),
        (1, (4, 4), 250),
        pytest.param(4, (4,), 2000, marks=pytest.mark.slow),
        pytest.param(2, (4, 4), 2000, marks=pytest.mark.slow),
    ],
)
def test_the_false_positive_rate_with_seeds_that_matter_at_all_rates(rates, kinds, count):
    """Two equal methods. Mistake: runs of one seed at several rates, or of crossed seeds, counted as independent."""
    rng, crossed = np.random.default_rng(2), factors(list(np.ndindex(*kinds)))
    seeds = np.tile(np.arange(np.prod(kinds)), 2 * rates)
    used = np.isin(seeds, independent(crossed) if crossed.shape[1] else seeds)
    by_seed, by_run = 0, 0
    for _ in range(count):
        life = np.concatenate([_lives(rng, rates, kinds).ravel() for _ in range(2)]).round(1)
        steps, dead, second = np.minimum(life, 10.0), life <= 10, np.repeat([False, True], len(life) // 2)
        by_seed += log_rank_p(steps[used], dead[used], second[used], seeds[used]) <= 0.05
        if count <= 250:
            by_run += log_rank_p(steps, dead, second) <= 0.05
    assert by_seed / count <= 0.05 + 3 * (0.05 * 0.95 / count) ** 0.5
    assert count > 250 or by_run / count > 0.12


def test_a_seed_keeps_its_label_at_all_rates():
    """Four seeds of each group at two rates are permuted as four, not as eight; both orders are equally extreme."""
    steps, dead = [1, 2, 3, 4, 9, 9, 9, 9], [True] * 4 + [False] * 4
    second, seeds = [False] * 4 + [True] * 4, [0, 1, 2, 3] * 2
    assert log_rank_p(steps, dead, second, seeds) == pytest.approx(2 / 70) == log_rank_p(steps, dead, second)
    assert log_rank_p(steps * 2, dead * 2, second * 2, seeds * 2) == pytest.approx(2 / 70)
    assert log_rank_p(steps * 2, dead * 2, second * 2) < 1e-3


@pytest.mark.parametrize("num_tests", [1, 3, 15])
def test_with_fewer_seeds_no_test_can_be_significant(num_tests):
    n = fewest_seeds(num_tests)
    p = [log_rank_p([1] * k + [9] * k, [True] * k + [False] * k, [False] * k + [True] * k) for k in (n - 1, n)]
    assert p[1] * num_tests <= 0.05 < p[0] * num_tests
