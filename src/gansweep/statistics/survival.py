"""Survival analysis: the share of runs that have not diverged by a step, and log-rank tests of groups of runs."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

MAX_EXACT = 20_000  # divisions into two groups that are enumerated; more are drawn at random
RESAMPLES = 10_000


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


def log_rank(steps: Sequence[float], diverged: Sequence[bool], in_second: Sequence[bool]) -> float:
    """Return the standardised log-rank statistic of two groups; positive if the second diverges more.

        Z = sum over divergence steps t of (d2(t) - d(t) n2(t) / n(t)) / sqrt(sum of its hypergeometric variances)

    d(t) runs diverge at step t of the n(t) runs that reached it; d2 and n2 are those of the second group. Mantel 1966;
    Peto and Peto 1972, doi:10.2307/2344317. A run that ended without divergence is censored at its last step.

    Args:
        steps: last step of every run (n,).
        diverged: whether it diverged there (n,).
        in_second: whether it belongs to the second group (n,).
    """
    score, variance = _score(*_arrays(steps, diverged), np.asarray(in_second, dtype=bool)[None])
    return float(score[0] / math.sqrt(variance[0])) if variance[0] > 0 else 0.0


def log_rank_p(
    steps: Sequence[float], diverged: Sequence[bool], in_second: Sequence[bool], seeds: Sequence[int] | None = None
) -> float:
    """Return the two-sided p-value of `log_rank` by permutation of the group labels of the seeds.

    A seed may be good for one method at all its learning rates, so runs of a method with equal seeds are not
    independent: all keep one label. The test is exact for any number of seeds if the seeds of a method are independent
    and both groups have the same settings and are censored alike, as those of one sweep are. That a seed is common to
    both groups makes it conservative. With at most 20,000 divisions of the seeds all are enumerated; otherwise 10,000
    are drawn, and the observed one counts as one of them (Phipson and Smyth 2010, doi:10.2202/1544-6115.1585). The
    normal approximation has too many false positives for a few runs.

    Args:
        steps: as for `log_rank`.
        diverged: likewise.
        in_second: likewise.
        seeds: seed of every run (n,); equal seeds in different groups are different ones here. None: all runs are
            independent.
    """
    last, dead = _arrays(steps, diverged)
    second = np.asarray(in_second, dtype=bool)
    units = [*range(len(second))] if seeds is None else [*zip(seeds, second.tolist(), strict=True)]
    distinct = list(dict.fromkeys(units))
    place = np.array([distinct.index(unit) for unit in units], dtype=np.int64)
    second_units = second[np.unique(place, return_index=True)[1]]
    n, n2 = len(second_units), int(second_units.sum())
    if not dead.any() or n2 in (0, n):
        return 1.0
    exact = math.comb(n, n2) <= MAX_EXACT
    if exact:
        chosen = np.array(list(itertools.combinations(range(n), n2)))
        labels = np.zeros((len(chosen), n), dtype=bool)
        np.put_along_axis(labels, chosen, True, axis=1)
    else:
        labels = _permutations(second_units.tobytes())
    observed = abs(_score(last, dead, second[None])[0][0])
    as_far = int((np.abs(_score(last, dead, labels[:, place])[0]) >= observed - 1e-9).sum())
    return as_far / len(labels) if exact else (as_far + 1) / (len(labels) + 1)


def fewest_seeds(num_tests: int, level: float = 0.05) -> int:
    """Return the least number of seeds of each of two groups with which one of several tests can be significant.

        2 num_tests / C(2 S, S) <= level

    The smallest p-value of `log_rank_p` is that of two of the C(2 S, S) divisions; Holm's correction multiplies it.

    >>> fewest_seeds(1), fewest_seeds(15)
    (4, 6)
    """
    return next(seeds for seeds in itertools.count(1) if 2 * num_tests <= level * math.comb(2 * seeds, seeds))


@lru_cache(maxsize=1)
def _permutations(second: bytes) -> np.ndarray:
    """Return random permutations of labels (RESAMPLES, n), in float32, in which counts of runs are exact.

    The last result is kept, because the pairs of methods of one sweep often have equal numbers of runs.
    """
    labels = np.frombuffer(second, dtype=bool)
    return np.random.default_rng(0).permuted(np.tile(labels, (RESAMPLES, 1)), axis=1).astype(np.float32)


def _score(last: np.ndarray, dead: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the sum of observed minus expected divergences of the second group and its variance, (labels,) each."""
    falls = np.unique(last[dead])
    at_risk, at_fall = last[:, None] >= falls, (last[:, None] == falls) & dead[:, None]  # (n, T)
    n, d = at_risk.sum(axis=0), at_fall.sum(axis=0)
    labels = second if second.dtype == np.float32 else second.astype(np.float32)
    n2, d2 = (np.asarray(labels @ runs.astype(np.float32), dtype=np.float64) for runs in (at_risk, at_fall))
    variance = d * (n2 / n) * (1 - n2 / n) * (n - d) / np.maximum(n - 1, 1)
    return (d2 - d * n2 / n).sum(axis=1), variance.sum(axis=1)


def _arrays(steps: Sequence[float], diverged: Sequence[bool]) -> tuple[np.ndarray, np.ndarray]:
    return np.asarray(steps, dtype=np.float64), np.asarray(diverged, dtype=bool)
