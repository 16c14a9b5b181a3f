from __future__ import annotations

import numpy as np
import pytest

from gansweep.statistics.halves import best_of_halves


def test_the_reported_value_is_right_on_average_and_the_chosen_ones_too_low():
    noise = np.random.default_rng(0).normal(size=(3000, 2, 20))
    found = [best_of_halves(first, second)[1] for first, second in noise]
    assert np.mean(found) == pytest.approx(0, abs=0.06)
    assert noise[:, 0].min(axis=1).mean() < -1.7


def test_it_is_reported_where_it_was_chosen():
    assert best_of_halves([5.0, 1.0, 3.0], [5.5, 7.0, 0.1]) == (1, 7.0)
    assert best_of_halves([float("nan"), 4.0], [1.0, 4.4]) == (1, 4.4)
    assert best_of_halves([], []) is None
