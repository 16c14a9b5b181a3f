"""Comparison of several methods over several tasks: mean ranks, normalised scores, probability of improvement.

Scores are given as one array per task (..., n), because tasks may have different numbers n of seeds. Statistics of
scores are calculated for every index of the leading axes, such as resamples.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gansweep.statistics.crossed_seeds import resample
from gansweep.statistics.ranking import ranks_of_values

RESAMPLES = 2000
MAX_DRAWN = 1_000_000  # random numbers that are drawn at a time, to bound the memory


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


def interquartile_mean(scores: Sequence[np.ndarray]) -> np.ndarray:
    """Return the mean of the middle half of all runs of all tasks (...).

    Agarwal et al. 2021, arXiv:2108.13264, section 4.3: more robust to outliers than the mean and more efficient than
    the median. It equals `scipy.stats.trim_mean` with a quarter cut from both ends, which is slow for a few numbers.

    >>> float(interquartile_mean([np.array([0.0, 1.0, 2.0, 9.0])]))
    1.5
    """
    runs = np.concatenate(list(scores), axis=-1)
    n = runs.shape[-1]
    cut = n // 4
    return np.partition(runs, (cut, n - cut - 1), axis=-1)[..., cut : n - cut].mean(axis=-1)


def probability_of_improvement(first: Sequence[np.ndarray], second: Sequence[np.ndarray]) -> np.ndarray:
    """Return the mean over tasks of P(a run of the first scores higher than a run of the second), ties as a half (...).

    Agarwal et al. 2021, section 4.3: the statistic of Mann and Whitney divided by the number of pairs of runs.

    >>> float(probability_of_improvement([np.array([1.0, 2.0])], [np.array([0.0, 1.0])]))
    0.875
    """
    pairs = zip(first, second, strict=True)
    wins = [np.sign(a[..., :, None] - b[..., None, :]) / 2 + 0.5 for a, b in pairs]
    return np.mean([task.mean(axis=(-2, -1)) for task in wins], axis=0)


def score_profile(scores: Sequence[np.ndarray], taus: np.ndarray) -> np.ndarray:
    """Return the share of runs, each task with equal weight, with a score above each tau (..., len(taus)).

    Agarwal et al. 2021, section 4.2, "score distributions".
    """
    return np.mean([(task[..., None] > taus).mean(axis=-2) for task in scores], axis=0)


def stratified_interval(
    statistic: Callable[..., np.ndarray],
    *samples: Sequence[np.ndarray],
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    crossed: Sequence[Sequence[np.ndarray]] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the percentile interval of a statistic under a bootstrap of the seeds within every task.

    Agarwal et al. 2021, section 4.1: tasks are kept, because they are the benchmark and not a sample. The resamples are
    the same at every call.

    Args:
        statistic: function of one or several sequences of scores per task, each (..., n); it returns (..., *shape).
        samples: its arguments (n,), each resampled independently.
        confidence: coverage probability.
        resamples: number of bootstrap resamples.
        crossed: factors of crossed seeds of every task of every sample, see `resample`; None if runs are independent.
    """
    rng = np.random.default_rng(0)
    if crossed is None or not any(of_task.shape[1] for of_sample in crossed for of_task in of_sample):
        drawn = _independent(samples, resamples, rng)
    else:
        drawn = _crossed(samples, crossed, resamples, rng)
    found = np.concatenate([statistic(*batch) for batch in drawn])
    tail = (1 - confidence) / 2
    low, high = np.quantile(found, [tail, 1 - tail], axis=0)
    return low, high


Batch = list[list[np.ndarray]]  # resampled scores (resamples, n) by sample, then by task


def _independent(samples: Sequence[Sequence[np.ndarray]], resamples: int, rng: np.random.Generator) -> Iterator[Batch]:
    """Yield resamples of independent runs, as many at a time as `MAX_DRAWN` numbers hold.

    One call draws all, in the order resample, sample, task, run: a call for each task takes most of the time.
    """
    tasks = [task for sample in samples for task in sample]
    sizes = [len(task) for task in tasks]
    ends, bounds = np.cumsum(sizes), np.repeat(sizes, sizes)
    step = max(1, MAX_DRAWN // len(bounds))
    for done in range(0, resamples, step):
        indices = rng.integers(bounds, size=(min(step, resamples - done), len(bounds)))
        of_task = zip(tasks, np.split(indices, ends[:-1], axis=1), strict=True)
        yield [[task[chosen] for task, chosen in itertools.islice(of_task, len(sample))] for sample in samples]


def _crossed(
    samples: Sequence[Sequence[np.ndarray]],
    crossed: Sequence[Sequence[np.ndarray]],
    resamples: int,
    rng: np.random.Generator,
) -> Iterator[Batch]:
    """Yield resamples of runs with crossed seeds one by one, because their numbers of runs differ."""
    for _ in range(resamples):
        yield [
            [task[None, resample(of_task, rng)] for task, of_task in zip(sample, of_sample, strict=True)]
            for sample, of_sample in zip(samples, crossed, strict=True)
        ]
