from __future__ import annotations

import numpy as np
import pytest

from gansweep.statistics.performance_profile import profile, ratios, score, time_to_target

INF = np.inf
# Three solvers on four tasks; the last task is not solved.
TIMES = np.array([[1.0, 6.0, 2.0, INF], [2.0, 3.0, INF, INF], [4.0, 3.0, 8.0, INF]])


def test_ratios_to_the_fastest():
    assert ratios(TIMES).tolist() == [[1, 2, 1, INF], [2, 1, INF, INF], [4, 1, 4, INF]]


def test_profile_by_hand():
    assert profile(TIMES, np.array([1.0, 2.0, 4.0])).tolist() == [
        [0.5, 0.75, 0.75],
        [0.25, 0.5, 0.5],
        [0.25, 0.25, 0.75],
    ]


def test_score_is_the_area_under_the_profile():
    taus = np.linspace(1, 4, 30_001)
    heights = profile(TIMES, taus)
    assert score(TIMES) == pytest.approx(np.trapezoid(heights, taus, axis=1) / 3, abs=1e-4)


def test_a_target_that_holds_from_the_start_is_no_division_by_zero():
    assert ratios(np.array([[0.0, 0.0], [0.0, 5.0]])).tolist() == [[1, 1], [1, INF]]


@pytest.mark.parametrize(("target", "step"), [(5.0, 10), (3.9, 30), (1.0, INF)])
def test_the_first_evaluation_that_is_good_enough(target, step):
    assert time_to_target([0, 10, 20, 30], [9.0, 4.0, float("nan"), 2.0], target) == step
