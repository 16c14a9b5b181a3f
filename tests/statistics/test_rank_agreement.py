"""Kendall's tau against scipy, and the permutation test against enumeration and its level."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from gansweep.statistics.rank_agreement import agreement, kendall


def _named(values):
    return {f"m{n}": float(value) for n, value in enumerate(values)}


def test_tau_is_that_of_scipy_with_ties():
    rng = np.random.default_rng(0)
    for _ in range(20):
        x, y = rng.integers(0, 6, size=(2, 9)).astype(float)
        assert float(kendall(x, y)) == pytest.approx(stats.kendalltau(x, y).statistic, abs=1e-12)


def test_infinite_values_are_tied():
    assert agreement([_named([1, 2, math.inf, math.inf])] * 2).tau == pytest.approx(1.0)


def test_p_value_is_that_of_all_permutations():
    x, y = [1.0, 2.0, 3.0, 4.0, 5.0], [2.0, 1.0, 3.0, 5.0, 4.0]
    observed = stats.kendalltau(x, y).statistic
    expected = np.mean([stats.kendalltau(x, p).statistic >= observed - 1e-12 for p in itertools.permutations(y)])
    assert agreement([_named(x), _named(y)]).p == pytest.approx(expected, abs=0.01)


def test_only_common_items_are_compared():
    first, second = {"a": 1.0, "b": 2.0, "c": 0.0, "d": 9.0}, {"d": 3.0, "a": 1.0, "b": 2.0, "e": 0.0}
    found = agreement([first, second])
    assert found.pairs == {(0, 1): (pytest.approx(1.0), 3)}


def test_reversed_rankings_do_not_agree():
    found = agreement([_named(range(8)), _named(range(8)[::-1])])
    assert found.tau == pytest.approx(-1.0)
    assert found.p == 1.0


@pytest.mark.parametrize("rankings", [[], [_named([1, 2])], [_named([1, 1, 1]), _named([1, 2, 3])], [{}, {}]])
def test_without_a_tau_nothing_is_decided(rankings):
    found = agreement(rankings)
    assert (found.p, found.pairs) == (1.0, {})
    assert math.isnan(found.tau)


def test_independent_rankings_seldom_agree(monkeypatch):
    monkeypatch.setattr("gansweep.statistics.rank_agreement.RESAMPLES", 400)
    rng = np.random.default_rng(1)
    p = [agreement([_named(rng.normal(size=6)) for _ in range(3)]).p for _ in range(300)]
    assert np.mean(np.array(p) <= 0.05) <= 0.09  # 99.9 % quantile of Binomial(300, 0.05) / 300
