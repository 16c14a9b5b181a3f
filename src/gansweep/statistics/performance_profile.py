"""Time to target, and performance profiles: comparison of several solvers over several tasks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def time_to_target(steps: Sequence[float], values: Sequence[float], target: float) -> float:
    """Return the first evaluated step at which the value is at most the target, infinity if there is none.

    Steps between evaluations are not interpolated, as in AlgoPerf (Dahl et al. 2023, arXiv:2306.07179).

    >>> time_to_target([0, 10, 20], [9.0, 4.0, 5.0], target=5.0), time_to_target([0], [float("nan")], target=5.0)
    (10.0, inf)
    """
    reached = np.flatnonzero(np.asarray(values, dtype=np.float64) <= target)
    return float(steps[reached[0]]) if len(reached) else float("inf")


def ratios(times: np.ndarray) -> np.ndarray:
    """Return performance ratios (solvers, tasks): every time divided by the fastest time of its task.

        r_(s, p) = t_(s, p) / min over solvers of t_(., p)

    Dolan and Moré 2002, doi:10.1007/s101070100263, arXiv:cs/0102001. A task that no solver solves has infinite ratios
    for all solvers.
    """
    times = np.asarray(times, dtype=np.float64)
    fastest = times.min(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = times / fastest
    ratio[:, fastest == 0] = np.where(times[:, fastest == 0] == 0, 1.0, np.inf)
    return np.where(np.isfinite(times), ratio, np.inf)


def profile(times: np.ndarray, taus: np.ndarray) -> np.ndarray:
    """Return profiles (solvers, taus): the share of tasks solved within tau times the fastest time.

        rho_s(tau) = |{p : r_(s, p) <= tau}| / number of tasks

    Args:
        times: (solvers, tasks), infinite where the target was not reached.
        taus: (T,), each at least 1.
    """
    return (ratios(times)[:, :, None] <= np.asarray(taus)[None, None, :]).mean(axis=1)


def score(times: np.ndarray, most: float = 4.0) -> np.ndarray:
    """Return AlgoPerf's benchmark score (solvers,): the mean of each profile between 1 and `most`.

        B_s = 1 / (most - 1) * integral from 1 to most of rho_s(tau) d tau

    Dahl et al. 2023, arXiv:2306.07179, with most = 4. The integral of the step function is exact.

    >>> score(np.array([[1.0, 1.0], [2.0, np.inf]])).round(4).tolist()
    [1.0, 0.3333]
    """
    within = np.clip(most - np.maximum(ratios(times), 1.0), 0.0, None)
    return within.mean(axis=1) / (most - 1)
