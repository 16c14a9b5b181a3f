from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from gansweep.statistics.ranking import order, rank_probabilities, ranks_of_values

NAN = np.nan


def test_a_lost_seed_outweighs_any_value():
    values = np.array([[0.0, NAN, NAN], [9.0, 9.0, 9.0], [0.1, 0.1, NAN], [NAN, NAN, NAN]])
    assert order(values).tolist() == [1, 2, 0, 3]


def test_two_settings_change_places_as_often_as_normal_means_do():
    """P(mean of n differences < 0) under the bootstrap is about Phi(-mean / (sd / sqrt n))."""
    difference = np.random.default_rng(0).normal(0.2, 1.0, 40)
    values = np.stack([np.zeros(40), difference])
    expected = stats.norm.cdf(difference.mean() / (difference.std() / 40**0.5))
    assert rank_probabilities(values)[0, 0] == pytest.approx(expected, abs=0.03)


def test_probabilities_are_a_doubly_stochastic_matrix_and_ties_are_shared():
    values = np.random.default_rng(1).normal(size=(5, 4))
    found = rank_probabilities(values)
    assert found.sum(axis=0) == pytest.approx(np.ones(5))
    assert found.sum(axis=1) == pytest.approx(np.ones(5))
    assert rank_probabilities(np.ones((2, 3)))[0, 0] == pytest.approx(0.5, abs=0.05)
    assert (rank_probabilities(values) == found).all()


def test_a_setting_that_may_diverge_is_first_only_where_it_did_not():
    """One of three seeds diverged; the probability that it is not drawn is (2/3)^3."""
    values = np.array([[1.0, 1.0, NAN], [2.0, 2.0, 2.0]])
    assert rank_probabilities(values)[0, 0] == pytest.approx((2 / 3) ** 3, abs=0.03)


def test_ranks_share_ties():
    assert ranks_of_values([2.0, NAN, 2.0, 1.0]).tolist() == [2.5, 4.0, 2.5, 1.0]
