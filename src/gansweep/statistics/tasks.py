"""Comparison of several methods over several tasks: mean ranks, normalised scores, probability of improvement.

Scores are given by task and seed, because tasks may have different numbers of seeds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gansweep.statistics.crossed_seeds import resample
from gansweep.statistics.ranking import ranks_of_values

RESAMPLES = 2000


@dataclass(frozen=True)
class MeanRanks:
    """Mean ranks of methods over tasks, with tests.

    Args:
        ranks: mean rank of every method (m,); 1 is best.
        p: p-value of Friedman's test of equal methods; NaN with fewer than two tasks.
        critical_difference: Nemenyi's; mean ranks that differ by at least this much are significantly different. NaN
            with fewer than two tasks.
        groups: maximal sets of methods without a significant difference among them, as (first, last) places in the
            order of the ranks.
    """

    ranks: np.ndarray
    p: float
    critical_difference: float
    groups: tuple[tuple[int, int], ...]


def mean_ranks(values: np.ndarray, level: float = 0.05) -> MeanRanks:
    """Return the mean ranks of methods over tasks with the tests of Friedman and Nemenyi.

        CD = q sqrt(m (m + 1) / (6 N)),   q = quantile of the studentised range for m groups / sqrt(2)

    Demsar 2006, JMLR 7, "Statistical comparisons of classifiers over multiple data sets", section 3.2. Friedman's test
    is `scipy.stats.friedmanchisquare`, which corrects for ties. For two methods it is the sign test's approximation.

    Args:
        values: one value per task and method (N, m); lower is better, NaN ranks last.
        level: familywise error rate of Nemenyi's test.
    """
    from scipy import stats

    ranks = np.array([ranks_of_values(row) for row in np.asarray(values, dtype=np.float64)])
    num_tasks, m = ranks.shape
    means = ranks.mean(axis=0)
    if num_tasks < 2 or m < 2:
        return MeanRanks(means, math.nan, math.nan, ())
    if m == 2:  # scipy's function expects at least three
        wins, losses = int((ranks[:, 0] < ranks[:, 1]).sum()), int((ranks[:, 0] > ranks[:, 1]).sum())
        p = float(stats.chi2.sf((wins - losses) ** 2 / (wins + losses), 1)) if wins + losses else 1.0
    else:
        all_tied = bool((ranks == ranks[:, :1]).all())  # the statistic is 0 / 0
        p = 1.0 if all_tied else float(stats.friedmanchisquare(*ranks.T).pvalue)
    q = float(stats.studentized_range.ppf(1 - level, m, np.inf)) / math.sqrt(2)
    difference = q * math.sqrt(m * (m + 1) / (6 * num_tasks))
    return MeanRanks(means, p, difference, _groups(np.sort(means), difference))


def _groups(ranks: np.ndarray, difference: float) -> tuple[tuple[int, int], ...]:
    groups: list[tuple[int, int]] = []
    for first in range(len(ranks)):
        last = int(np.searchsorted(ranks, ranks[first] + difference, side="left")) - 1
        if last > first and (not groups or last > groups[-1][1]):
            groups.append((first, last))
    return tuple(groups)


def normalised(value: float, untrained: float, floor: float) -> float:
    """Return the share of the way from the untrained generator to real samples, at least 0.

        score = max(0, (untrained - value) / (untrained - floor))

    1 is a generator as good as real samples. A run without a value has score 0, as one that did not learn.

    Args:
        value: value of the run, NaN without one.
        untrained: value before the first step.
        floor: value of real samples against real samples.
    """
    if not math.isfinite(value) or untrained == floor:
        return 0.0
    return max(0.0, (untrained - value) / (untrained - floor))


def interquartile_mean(scores: Sequence[np.ndarray]) -> float:
    """Return the mean of the middle half of all runs of all tasks.

    Agarwal et al. 2021, arXiv:2108.13264, section 4.3: more robust to outliers than the mean and more efficient than
    the median. It equals `scipy.stats.trim_mean` with a quarter cut from both ends, which is slow for a few numbers.

    >>> interquartile_mean([np.array([0.0, 1.0, 2.0, 9.0])])
    1.5
    """
    runs = np.concatenate(list(scores))
    cut = len(runs) // 4
    return float(np.partition(runs, (cut, len(runs) - cut - 1))[cut : len(runs) - cut].mean())


def probability_of_improvement(first: Sequence[np.ndarray], second: Sequence[np.ndarray]) -> float:
    """Return the mean over tasks of P(a run of the first scores higher than a run of the second), ties as a half.

    Agarwal et al. 2021, section 4.3: the statistic of Mann and Whitney divided by the number of pairs of runs.

    >>> probability_of_improvement([np.array([1.0, 2.0])], [np.array([0.0, 1.0])])
    0.875
    """
    pairs = zip(first, second, strict=True)
    return float(np.mean([(np.sign(a[:, None] - b[None, :]) / 2 + 0.5).mean() for a, b in pairs]))


def score_profile(scores: Sequence[np.ndarray], taus: np.ndarray) -> np.ndarray:
    """Return the share of runs, each task with equal weight, with a score above each tau, (len(taus),).

    Agarwal et al. 2021, section 4.2, "score distributions".
    """
    return np.mean([(task[:, None] > taus).mean(axis=0) for task in scores], axis=0)


def stratified_interval(
    statistic: Callable[..., float | np.ndarray],
    *samples: Sequence[np.ndarray],
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    crossed: Sequence[Sequence[np.ndarray]] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the percentile interval of a statistic under a bootstrap of the seeds within every task.

    Agarwal et al. 2021, section 4.1: tasks are kept, because they are the benchmark and not a sample. The resamples are
    the same at every call.

    Args:
        statistic: function of one or several sequences of scores per task.
        samples: its arguments, each resampled independently.
        confidence: coverage probability.
        resamples: number of bootstrap resamples.
        crossed: factors of crossed seeds of every task of every sample, see `resample`; None if runs are independent.
    """
    rng = np.random.default_rng(0)
    if crossed is None:
        crossed = [[np.empty((len(task), 0), dtype=np.int64) for task in sample] for sample in samples]
    found = [
        statistic(*(
            [task[resample(of_task, rng)] for task, of_task in zip(sample, of_sample, strict=True)]
            for sample, of_sample in zip(samples, crossed, strict=True)
        ))
        for _ in range(resamples)
    ]  # fmt: skip
    tail = (1 - confidence) / 2
    low, high = np.quantile(np.asarray(found, dtype=np.float64), [tail, 1 - tail], axis=0)
    return low, high
