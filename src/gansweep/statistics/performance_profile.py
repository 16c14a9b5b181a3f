"""Many tasks, several solvers: who is how often how close to the fastest?"""

from __future__ import annotations

import numpy as np


def ratios(times: np.ndarray) -> np.ndarray:
    """Divide every time by the fastest of its task: (solvers, tasks) -> the same.

        r_(s, p) = t_(s, p) / min over solvers of t_(., p)

    Dolan and Moré 2002, doi:10.1007/s101070100263, arXiv:cs/0102001. A task that nobody solves says nothing
    and has infinite ratios throughout.
    """
    times = np.asarray(times, dtype=np.float64)
    fastest = times.min(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = times / fastest
    found[:, fastest == 0] = np.where(times[:, fastest == 0] == 0, 1.0, np.inf)
    return np.where(np.isfinite(times), found, np.inf)


def profile(times: np.ndarray, taus: np.ndarray) -> np.ndarray:
    """Return the share of tasks that a solver ends within tau times the fastest: (solvers, taus).

        rho_s(tau) = |{p : r_(s, p) <= tau}| / number of tasks

    Args:
        times: (solvers, tasks), infinite where the target was not reached.
        taus: (T,), from 1 up.
    """
    return (ratios(times)[:, :, None] <= np.asarray(taus)[None, None, :]).mean(axis=1)


def score(times: np.ndarray, most: float = 4.0) -> np.ndarray:
    """Return the mean height of each profile between 1 and `most`: AlgoPerf's benchmark score.

        B_s = 1 / (most - 1) * integral from 1 to most of rho_s(tau) d tau

    Dahl et al. 2023, arXiv:2306.07179, with most = 4. The steps are summed exactly.

    >>> score(np.array([[1.0, 1.0], [2.0, np.inf]])).round(4).tolist()
    [1.0, 0.3333]
    """
    within = np.clip(most - np.maximum(ratios(times), 1.0), 0.0, None)
    return within.mean(axis=1) / (most - 1)
