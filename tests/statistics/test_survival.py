from __future__ import annotations

import numpy as np
from scipy import stats

from gansweep.statistics.survival import survival


def test_is_scipys_estimate_of_censored_times():
    rng = np.random.default_rng(0)
    life, watched = rng.exponential(10, 60).round(), rng.integers(1, 25, 60).astype(float)
    steps, dead = np.minimum(life, watched), life <= watched
    at, height = survival(steps, dead)
    known = stats.ecdf(stats.CensoredData.right_censored(steps, ~dead)).sf
    assert np.allclose(height[1:], known.evaluate(at[1:]), rtol=1e-12)


def test_runs_that_end_sound_do_not_make_it_fall():
    at, height = survival([10, 10, 10], [False, False, False])
    assert at.tolist() == [0]
    assert height.tolist() == [1]


def test_a_divergence_at_step_0_counts():
    _at, height = survival([0, 10], [True, False])
    assert height[-1] == 0.5
