from __future__ import annotations

import itertools

import numpy as np
import pytest

from gansweep.statistics.best_of_k import expected_best

NAN = float("nan")


@pytest.mark.parametrize("values", [[3.0, 1.0, 4.0, 1.5, 9.0], [3.0, NAN, 4.0, NAN, 9.0, NAN], [NAN, NAN], [2.0]])
def test_is_the_mean_over_all_sets(values):
    best, none = expected_best(values)
    for k in range(1, len(values) + 1):
        sets = [[v for v in chosen if v == v] for chosen in itertools.combinations(values, k)]
        with_value = [min(chosen) for chosen in sets if chosen]
        assert none[k - 1] == pytest.approx(1 - len(with_value) / len(sets), abs=1e-12)
        if with_value:
            assert best[k - 1] == pytest.approx(np.mean(with_value))
        else:
            assert np.isnan(best[k - 1])


def test_is_unbiased_where_drawing_with_replacement_is_not():
    """The best of 4 of 5 uniform trials is 1/5 on average; with replacement it comes out too high."""
    draws = np.random.default_rng(0).uniform(size=(4000, 5))
    ours = np.mean([expected_best(row)[0][3] for row in draws])
    upto = (np.arange(5, -1, -1) / 5) ** 4
    replaced = np.mean(np.sort(draws, axis=1) @ (upto[:-1] - upto[1:]))
    assert ours == pytest.approx(0.2, abs=0.006)
    assert replaced > 0.22


def test_a_thousand_trials_do_not_overflow():
    best, none = expected_best(np.arange(1000.0))
    assert best[0] == pytest.approx(499.5)
    assert best[499] == pytest.approx(1000 * 501 / 501 / 501 - 1 + 1 / 501, abs=1e-6)
    assert best[-1] == 0
    assert not none.any()
