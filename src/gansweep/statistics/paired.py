"""Paired comparison of two configurations over common seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import special

from gansweep.statistics.holm import holm
from gansweep.statistics.power import seeds_for_sign, seeds_for_t

Scores = Mapping[Any, float]  # by seed; NaN for a run that has no value


@dataclass(frozen=True)
class Comparison:
    """Result of a paired test on the seeds that two configurations have in common.

    Args:
        sign: -1 if the first configuration has lower values, 1 if the second has, 0 if neither.
        difference: mean of first - second over the seeds where both have a value; NaN without any.
        p: two-sided p-value; 1 if no test was possible.
        test: "t", "sign", or "" if no test was possible.
        num_seeds: number of common seeds.
        strength: effect size for the power calculation: mean / standard deviation of the differences for "t", share
            of wins for "sign".
        adjusted: p after Holm's correction over all comparisons.
        next_level: level that p has to reach next, given the number of undecided comparisons.
    """

    sign: int
    difference: float
    p: float
    test: str
    num_seeds: int
    strength: float = math.nan
    adjusted: float = 1.0
    next_level: float = 0.05

    def beaten(self, level: float = 0.05) -> bool:
        """Return True if the difference is significant at `level` after correction."""
        return self.sign != 0 and self.adjusted <= level

    def more_seeds(self) -> int | None:
        """Return the approximate number of further seeds for a power of 80 % at the observed effect size.

        None if more than 1000 seeds would be needed, or if no effect was observed.
        """
        if not self.test or self.sign == 0:
            return None
        needed = (seeds_for_t if self.test == "t" else seeds_for_sign)(self.strength, self.next_level)
        return None if needed is None else max(1, needed - self.num_seeds)


def compare(first: Scores, second: Scores) -> Comparison:
    """Compare two configurations on their common seeds by a paired t test or a sign test.

        t: mean(d) / (sd(d) / sqrt(n)) against Student's t with n - 1 degrees of freedom,   d = first - second
        sign: wins against binomial(n, 1/2); used if a run has no value, which loses against any value

    Student 1908, "The probable error of a mean". The sign test is exact and makes no assumption about the distribution
    of the values. Runs of equal seeds share initial weights and the order of the data, so differences have a smaller
    variance than values.

    >>> compare({0: 1.0, 1: 2.0, 2: 3.0}, {0: 2.0, 1: 3.1, 2: 3.9}).sign
    -1
    """
    seeds = [seed for seed in first if seed in second]
    a, b = (np.array([scores[seed] for seed in seeds], dtype=np.float64) for scores in (first, second))
    known = np.isfinite(a) & np.isfinite(b)
    d = (a - b)[known]
    mean = float(d.mean()) if len(d) else math.nan
    if not known.all():
        return _sign_test(a, b, mean)
    if len(d) < 2:
        return Comparison(int(np.sign(mean)) if len(d) else 0, mean, 1.0, "", len(d))
    sd = float(d.std(ddof=1))
    if sd == 0:
        # The runs are identical, or the differences are constant: the t statistic is undefined.
        return _sign_test(a, b, mean)
    t = mean / (sd / math.sqrt(len(d)))
    p = 2 * float(special.stdtr(len(d) - 1, -abs(t)))
    return Comparison(int(np.sign(mean)), mean, p, "t", len(d), mean / sd)


def _sign_test(a: np.ndarray, b: np.ndarray, mean: float) -> Comparison:
    a, b = (np.where(np.isfinite(side), side, np.inf) for side in (a, b))
    lower, higher = int((a < b).sum()), int((a > b).sum())
    n, most = lower + higher, max(lower, higher)
    p = min(1.0, 2 * float(special.bdtrc(most - 1, n, 0.5))) if n else 1.0
    return Comparison(int(np.sign(higher - lower)), mean, p, "sign" if n else "", len(a), most / n if n else math.nan)


def compare_all(
    scores: Sequence[Scores], pairs: Sequence[tuple[int, int]], family: int | None = None, level: float = 0.05
) -> list[Comparison]:
    """Compare pairs of configurations, with Holm's correction over all pairs.

    Args:
        scores: scores of every configuration by seed; lower is better.
        pairs: index pairs into `scores`.
        family: number of pairs that these were selected from, if they were selected by their values.
        level: familywise error rate.
    """
    comparisons = [compare(scores[a], scores[b]) for a, b in pairs]
    adjusted = holm([comparison.p for comparison in comparisons], family)
    undecided = int((adjusted > level).sum()) + (family or len(pairs)) - len(pairs)
    next_level = level / max(undecided, 1)
    return [
        replace(comparison, adjusted=float(p), next_level=next_level)
        for comparison, p in zip(comparisons, adjusted, strict=True)
    ]
