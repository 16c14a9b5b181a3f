"""Survival analysis: the share of runs that have not diverged by a step."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Survival(NamedTuple):
    """Kaplan-Meier curve with its pointwise confidence band, all (n,), constant from each step to the next.

    Args:
        steps: 0, and the steps at which the curve falls.
        share: share of runs that have not diverged.
        low: lower end of the band.
        high: upper end of the band.
    """

    steps: np.ndarray
    share: np.ndarray
    low: np.ndarray
    high: np.ndarray


def survival(steps: Sequence[float], diverged: Sequence[bool], confidence: float = 0.95) -> Survival:
    """Kaplan-Meier estimate of the share of runs that reach a step without divergence.

        S(t) = product over steps t_i <= t at which runs diverged of (1 - d_i / n_i)

    Kaplan and Meier 1958, doi:10.1080/01621459.1958.10501452, computed by `scipy.stats.ecdf`. d_i runs diverged at step
    t_i, and n_i runs reached it. A run that ended without divergence is censored at its last step. The band is
    Greenwood's on the scale log(-log S), which stays within [0, 1]; it is the whole interval where the share is 0,
    because the variance is not estimable there.

    Args:
        steps: last step of every run.
        diverged: whether it diverged there.
        confidence: coverage probability of the band at each step.

    >>> curve = survival([5, 10, 10, 20], [True, True, False, False])
    >>> curve.steps.tolist(), curve.share.tolist()
    ([0.0, 5.0, 10.0], [1.0, 0.75, 0.5])
    """
    from scipy import stats

    last, dead = np.asarray(steps, dtype=np.float64), np.asarray(diverged, dtype=bool)
    curve = stats.ecdf(stats.CensoredData.right_censored(last, ~dead)).sf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # where no run or every run is left
        band = curve.confidence_interval(confidence, method="log-log")
    falls = np.unique(last[dead])
    share, low, high = (part.evaluate(falls) for part in (curve, band.low, band.high))
    low, high = np.where(np.isfinite(low), low, 0.0), np.where(np.isfinite(high), high, 1.0)
    before = np.ones(1)
    return Survival(np.concatenate([[0.0], falls]), *(np.concatenate([before, part]) for part in (share, low, high)))
