"""Methods over tasks, against the worked example of Demsar 2006 and against rliable where it is installed."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from scipy import stats

from gansweep.statistics import tasks
from gansweep.statistics.tasks import (
    interquartile_mean,
    mean_ranks,
    normalised,
    probability_of_improvement,
    score_profile,
    stratified_interval,
)

# Demsar 2006, table 6: AUC of C4.5, C4.5+m, C4.5+cf, C4.5+m+cf on 14 data sets; higher is better.
AUC = np.array([
    [0.763, 0.768, 0.771, 0.798], [0.599, 0.591, 0.590, 0.569], [0.954, 0.971, 0.968, 0.967],
    [0.628, 0.661, 0.654, 0.657], [0.882, 0.888, 0.886, 0.898], [0.936, 0.931, 0.916, 0.931],
    [0.661, 0.668, 0.609, 0.685], [0.583, 0.583, 0.563, 0.625], [0.775, 0.838, 0.866, 0.875],
    [1.000, 1.000, 1.000, 1.000], [0.940, 0.962, 0.965, 0.962], [0.619, 0.666, 0.614, 0.669],
    [0.972, 0.981, 0.9751, 0.975], [0.957, 0.978, 0.946, 0.970],
])  # fmt: skip


def test_the_example_of_demsar():
    found = mean_ranks(-AUC)
    assert found.ranks.round(3).tolist() == [3.143, 2.000, 2.893, 1.964]
    assert found.critical_difference == pytest.approx(2.569 * np.sqrt(4 * 5 / (6 * 14)), abs=1e-3)
    assert found.p == pytest.approx(stats.friedmanchisquare(*AUC.T).pvalue)
    assert found.p < 0.05
    # None of the four differs by 1.25 from another, as the paper finds.
    assert found.groups == ((0, 3),)


def test_groups_are_the_maximal_sets_within_the_critical_difference():
    values = np.argsort(np.tile(np.arange(5), (40, 1)), axis=1).astype(float)
    found = mean_ranks(values)
    assert found.critical_difference == pytest.approx(0.9645, abs=1e-3)
    assert found.groups == ()
    values[::2, [0, 1]] = values[::2, [1, 0]]  # the first two change places in every other task
    assert mean_ranks(values).groups == ((0, 1),)


def test_two_methods_one_task_ties_and_missing_values():
    two = mean_ranks(np.array([[1.0, 2.0]] * 8 + [[2.0, 1.0]] * 2))
    assert two.p == pytest.approx(stats.chi2.sf(3.6, 1))
    assert np.isnan(mean_ranks(np.array([[1.0, 2.0, 3.0]])).p)
    assert mean_ranks(np.ones((5, 3))).p == 1
    assert mean_ranks(np.array([[np.nan, 1.0, 2.0]] * 3)).ranks.tolist() == [3, 1, 2]


@pytest.mark.parametrize(
    ("value", "score"), [(400.0, 0.0), (2.0, 1.0), (201.0, 0.5), (500.0, 0.0), (1.0, 399 / 398), (np.nan, 0.0)]
)
def test_scores_run_from_untrained_to_real(value, score):
    assert normalised(value, untrained=400.0, floor=2.0) == pytest.approx(score)
    assert normalised(-value, untrained=-400.0, floor=-2.0) == pytest.approx(score), "higher is better, negated"


def _scores(seed, tasks=4, shift=0.0):
    rng = np.random.default_rng(seed)
    return [rng.normal(0.5 + shift, 0.1, 3 + task) for task in range(tasks)]


def test_the_probability_of_improvement_is_that_of_mann_and_whitney():
    a, b = _scores(0, shift=0.05), _scores(1)
    known = [stats.mannwhitneyu(x, y).statistic / (len(x) * len(y)) for x, y in zip(a, b, strict=True)]
    assert probability_of_improvement(a, b) == pytest.approx(np.mean(known))
    assert probability_of_improvement(a, a) == pytest.approx(0.5)


def test_the_profile_falls_from_all_runs_to_none():
    taus = np.array([-1.0, 0.5, 2.0])
    profile = score_profile([np.array([0.4, 0.6]), np.array([0.6, 0.7, 0.8, 0.9])], taus)
    assert profile.tolist() == [1.0, 0.75, 0.0]


def test_the_interval_covers_the_mean_of_the_middle():
    rng, covered = np.random.default_rng(5), 0
    for _ in range(60):
        scores = [rng.normal(0.5, 0.1, 10) for _ in range(6)]
        low, high = stratified_interval(interquartile_mean, scores, resamples=100)
        covered += low <= 0.5 <= high
    assert covered / 60 >= 0.88


def _drawn_task_by_task(statistic, *samples, resamples):
    """Return the interval with one draw for every resample and task, as rliable does."""
    rng = np.random.default_rng(0)
    values = [
        statistic(*([task[rng.integers(len(task), size=len(task))] for task in sample] for sample in samples))
        for _ in range(resamples)
    ]
    return np.quantile(values, [0.025, 0.975], axis=0).tolist()


@pytest.mark.parametrize("most", [1, 100, 1_000_000])  # one resample at a time, several, all
def test_draws_at_once_equal_draws_task_by_task(most, monkeypatch):
    monkeypatch.setattr(tasks, "MAX_DRAWN", most)
    a, b = [np.ones(1), *_scores(1)], _scores(2, tasks=5)  # a single run takes no random number
    taus = np.linspace(0, 1, 11)
    for statistic, samples in [
        (interquartile_mean, [a]),
        (probability_of_improvement, [a, b]),
        (partial(score_profile, taus=taus), [b]),
    ]:
        found = stratified_interval(statistic, *samples, resamples=70)
        assert np.array(found).tolist() == _drawn_task_by_task(statistic, *samples, resamples=70)


def test_independent_runs_are_drawn_at_once():
    calls = []

    def statistic(scores):
        calls.append(scores[0].shape)
        return interquartile_mean(scores)

    scores = _scores(3)
    crossed = [[np.empty((len(task), 0), dtype=int) for task in scores]]  # no factor: independent
    stratified_interval(statistic, scores, crossed=crossed)
    assert calls == [(tasks.RESAMPLES, 3)]


def _runs(seed, shift=0.0):
    """Return five runs of seven tasks, by task."""
    return list(np.random.default_rng(seed).normal(0.5 + shift, 0.2, (5, 7)).round(3).T)


def test_is_what_rliable_computes():
    """Values of rliable 1.2.0, of its bootstrap with 20,000 resamples."""
    a, b = _runs(6), _runs(7, -0.1)
    assert [interquartile_mean(a), interquartile_mean(b)] == pytest.approx([0.571894737, 0.324736842])
    assert probability_of_improvement(a, b) == pytest.approx(0.805714286)
    taus = np.linspace(0, 1, 6)
    assert score_profile(a, taus) == pytest.approx(np.array([34, 32, 26, 14, 2, 0]) / 35)
    known = {0: (0.487788, 0.641632), 1: (0.270579, 0.374789)}
    for n, runs in enumerate((a, b)):
        low, high = stratified_interval(interquartile_mean, runs, resamples=4000)
        width = known[n][1] - known[n][0]
        assert (float(low), float(high)) == pytest.approx(known[n], abs=0.06 * width)
    low, high = stratified_interval(lambda scores: score_profile(scores, taus), a, resamples=2000)
    assert low == pytest.approx(np.array([32, 29, 21, 9, 0, 0]) / 35, abs=1.01 / 35)
    assert high == pytest.approx(np.array([35, 35, 31, 20, 5, 0]) / 35, abs=1.01 / 35)


def test_is_the_test_of_nemenyi_of_scikit_posthocs():
    """p-values of scikit-posthocs 0.17.1, posthoc_nemenyi_friedman, of all pairs."""
    values = np.random.default_rng(8).normal(size=(12, 5)) + np.array([0, 0.5, 1.0, 1.5, 2.5])
    known = [0.985757, 0.447435, 0.297889, 0.002780, 0.773128, 0.614631, 0.016665, 0.999024, 0.297889, 0.447435]
    pairs = np.triu_indices(5, 1)
    ranks = np.array([stats.rankdata(row) for row in values]).mean(axis=0)
    for level in (0.002, 0.01, 0.05, 0.4):
        found = mean_ranks(values, level)
        assert found.ranks == pytest.approx(ranks)
        is_different = np.abs(found.ranks[pairs[0]] - found.ranks[pairs[1]]) >= found.critical_difference
        assert is_different.tolist() == [p <= level for p in known]
    demsar = mean_ranks(-AUC, 0.09)  # p-values of the four: 0.089, 0.956, 0.074, 0.259, 1.000, 0.227
    assert demsar.groups == ((0, 2), (2, 3))
