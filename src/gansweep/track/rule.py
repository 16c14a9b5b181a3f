"""Rule of a track: the score of an entry and the test against the record.

The rule uses only the steps at which trainings reach the target, one number for each seed. It makes no assumption about
their distribution, and a training that diverges, at any step, or does not reach the target counts as infinity.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

import numpy as np
from scipy import stats

Times = Mapping[int, float]  # generator steps to the target by seed; infinity: not reached
BEHIND = 0.05  # p-value at which an entry is clearly behind the record, with a part of the seeds


def score(times: Sequence[float], confidence: float = 0.95) -> float:
    """Return the upper confidence limit of the median number of steps to the target.

    It is the order statistic T_(k) of n times with the smallest k for which

        P(Binomial(n, 1/2) < k) >= confidence

    With this confidence, at least half of all trainings reach the target within T_(k) steps, for any distribution
    (David and Nagaraja 2003, Order Statistics, section 7.1). Infinity if T_(k) is infinite or no k exists: five seeds
    are the least for 95 %.

    >>> score([100, 200, 300, 400, 500]), score([100, 200, 300, 400])
    (500.0, inf)
    """
    place = _place(len(times), confidence)
    return math.inf if place is None else float(sorted(times)[place])


@cache
def _place(n: int, confidence: float) -> int | None:
    """Return k - 1 of `score`, None if no k exists."""
    below = stats.binom.cdf(np.arange(n), n, 0.5)  # entry k - 1: P(B <= k - 1)
    return next((place for place in range(n) if below[place] >= confidence), None)


def counted_steps(times: Iterable[float], steps: int) -> list[float]:
    """Return steps to the target; infinity counts as twice the steps of the track ("PAR2" of the SAT competitions)."""
    return [min(time, 2.0 * steps) for time in times]


def improvement_p(challenger: Times, record: Times) -> float:
    """Return the one-sided p-value of the hypothesis that a challenger is not faster than the record.

    Exact signed-rank test on the seeds: the absolute differences of the times are ranked (ties have their mean rank, an
    infinite difference the highest), and the sum of the ranks of seeds where the challenger is slower is compared with
    its distribution under all 2^n changes of signs. Wilcoxon 1945, doi:10.2307/3001968; zeros as in Pratt 1959,
    doi:10.1080/01621459.1959.10501526. Under the null hypothesis the two times of a seed are exchangeable.

    Raises:
        ValueError: the two do not have the same seeds.
    """
    if set(challenger) != set(record):
        raise ValueError("expected the same seeds")
    ahead = np.array([_difference(challenger[seed], record[seed]) for seed in sorted(record)])
    if not np.any(ahead):
        return 1.0
    doubled = np.rint(2 * stats.rankdata(np.abs(ahead))).astype(int)  # whole numbers, because mean ranks are halves
    slower = int(doubled[ahead > 0].sum())
    return float(_sign_distribution(doubled[ahead != 0])[: slower + 1].sum())


def _difference(first: float, second: float) -> float:
    return 0.0 if first == second else first - second


def _sign_distribution(ranks: np.ndarray) -> np.ndarray:
    """Return the probabilities of the sums of a random subset of whole numbers, from 0 to their sum."""
    probabilities = np.zeros(int(ranks.sum()) + 1)
    probabilities[0] = 1.0
    for rank in ranks:
        shifted = np.zeros_like(probabilities)
        shifted[rank:] = probabilities[:-rank]
        probabilities = (probabilities + shifted) / 2
    return probabilities


def is_record(
    challenger: Times, record: Times | None, *, seeds: Sequence[int], level: float, confidence: float
) -> bool:
    """Return whether an entry becomes the record.

    It needs a time for each judging seed and a finite score; and, if there is a record, a lower score and a p-value of
    `improvement_p` of at most `level`.
    """
    if set(challenger) != set(seeds) or not math.isfinite(score(list(challenger.values()), confidence)):
        return False
    if record is None:
        return True
    faster = score(list(challenger.values()), confidence) < score(list(record.values()), confidence)
    return faster and improvement_p(challenger, record) <= level


def futility(challenger: Times, record: Times | None, *, seeds: Sequence[int], level: float, confidence: float) -> str:
    """Return why trainings of an entry can be stopped before all seeds are trained; empty if they cannot.

    It is stopped if it would not become the record even if it reached the target at once with each of the other seeds,
    or if the record is faster on the seeds so far, with a p-value of at most `BEHIND`. No record depends on this rule,
    since `is_record` needs all seeds: it can only lose records, not add false ones.
    """
    best = {seed: challenger.get(seed, 0.0) for seed in seeds}
    if not math.isfinite(score(list(best.values()), confidence)):
        return "too many seeds did not reach the target for a finite score"
    if record is None:
        return ""
    if not is_record(best, record, seeds=seeds, level=level, confidence=confidence):
        return "it would not be the record even if every other seed reached the target at once"
    p = improvement_p({seed: record[seed] for seed in challenger}, challenger)
    return f"the record is faster on these seeds (p = {p:.3f})" if p <= BEHIND else ""


def stages(num_seeds: int) -> list[int]:
    """Return the numbers of seeds after which `futility` is tested, and the number of all seeds.

    >>> stages(20), stages(5)
    ([5, 10, 20], [2, 3, 5])
    """
    return sorted({math.ceil(num_seeds / 4), math.ceil(num_seeds / 2), num_seeds})


def faster_p(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the one-sided p-value of the hypothesis that the first of two samples of times is not faster.

    Exact rank-sum test: the sum of the ranks of the first sample among all times (ties have their mean rank) is
    compared with its distribution over all choices of as many of the ranks. Wilcoxon 1945, doi:10.2307/3001968; Mann
    and Whitney 1947, doi:10.1214/aoms/1177730491. The samples have no seeds in common, so they can't be paired.

    >>> faster_p([1.0, 2.0], [3.0, 4.0, math.inf])
    0.1
    """
    ranks = np.rint(2 * stats.rankdata([*first, *second])).astype(int)  # whole numbers, because mean ranks are halves
    observed, total = int(ranks[: len(first)].sum()), int(ranks.sum())
    counts = np.zeros((len(first) + 1, total + 1))  # choices by number of ranks and their sum
    counts[0, 0] = 1.0
    for rank in ranks:
        counts[1:, rank:] += counts[:-1, : total + 1 - rank].copy()
    return float(counts[-1, : observed + 1].sum() / counts[-1].sum())
