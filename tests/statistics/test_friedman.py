"""Friedman's test: all orders enumerated, scipy for many blocks, ties and infinities."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from gansweep.statistics.rank_agreement import friedman


def test_p_value_is_that_of_all_orders():
    values = np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [2.0, 1.0, 3.0]])
    observed = (values.sum(axis=0) ** 2).sum()
    orders = itertools.product(itertools.permutations((1.0, 2.0, 3.0)), repeat=3)
    expected = np.mean([(np.sum(blocks, axis=0) ** 2).sum() >= observed for blocks in orders])
    assert friedman(values)[1] == pytest.approx(expected, abs=0.015)


def test_many_blocks_agree_with_the_chi_square_of_scipy():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(60, 3)) + np.array([0.0, 0.3, 0.2])
    ranks, p = friedman(values)
    assert p == pytest.approx(stats.friedmanchisquare(*values.T).pvalue, abs=0.015)
    assert ranks == pytest.approx(stats.rankdata(values, axis=1).mean(axis=0))


def test_equal_treatments_do_not_differ():
    ranks, p = friedman(np.full((4, 3), math.inf))
    assert ranks.tolist() == [2.0, 2.0, 2.0]
    assert p == 1.0
