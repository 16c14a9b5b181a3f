"""Paired comparison of two configurations over common seeds, and its power: the number of seeds that it needs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from scipy import special, stats

from gansweep.statistics.crossed_seeds import error_of_mean, factors, independent, most
from gansweep.statistics.equivalence import MAX_SEEDS, equivalence_p, seeds_for_equivalence
from gansweep.statistics.holm import holm

Scores = Mapping[Any, float]  # by seed; NaN for a run that has no value
LevelsBySeed = Mapping[Any, Sequence[int]]  # seeds of every kind of a run, by the key of `Scores`


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
        margin: differences below it count as none; None without a test of equivalence.
        equivalence: adjusted p-value of the test of equivalence; 1 without one.
        repetitions: number of independent differences that the test is equivalent to; NaN for `num_seeds`.
        num_levels: number of seeds of a kind if seeds are crossed, the largest of all kinds; else 0.
    """

    sign: int
    difference: float
    p: float
    test: str
    num_seeds: int
    strength: float = math.nan
    adjusted: float = 1.0
    next_level: float = 0.05
    margin: float | None = None
    equivalence: float = 1.0
    repetitions: float = math.nan
    num_levels: int = 0

    def beaten(self, level: float = 0.05) -> bool:
        """Return True if the difference is significant at `level` after correction, and not within the margin."""
        return self.sign != 0 and self.adjusted <= level and not self.equivalent(level)

    def equivalent(self, level: float = 0.05) -> bool:
        """Return True if the difference is smaller than the margin, significantly at `level` after correction."""
        return self.equivalence <= level

    def more_seeds(self) -> int | None:
        """Return the approximate number of further seeds for a power of 80 % at the observed effect size.

        With a margin it is the number for a difference or for equivalence, whichever is smaller. With crossed seeds it
        is the number of further seeds of each kind. None if more than 1000 seeds would be needed, or if no effect was
        observed.
        """
        needed = []
        if self.test and self.sign:
            needed.append((seeds_for_t if self.test == "t" else seeds_for_sign)(self.strength, self.next_level))
        if self.margin is not None and self.test == "t":
            sd = abs(self.difference / self.strength) if self.strength else math.nan
            needed.append(seeds_for_equivalence(self.difference, sd, self.margin, self.next_level))
        return min((self._further(number) for number in needed if number is not None), default=None)

    def _further(self, needed: int) -> int:
        """Return the number of further seeds for a number of independent differences.

        The variance of a mean over crossed seeds is inversely proportional to the numbers of seeds of all kinds.
        """
        if not self.num_levels or self.test == "sign":
            return max(1, needed - self.num_seeds)
        return max(1, math.ceil(self.num_levels * (needed / self.repetitions - 1)))


def compare(first: Scores, second: Scores, levels: LevelsBySeed | None = None) -> Comparison:
    """Compare two configurations on their common seeds by a paired t test or a sign test.

        t: mean(d) / (sd(d) / sqrt(n)) against Student's t with n - 1 degrees of freedom,   d = first - second
        sign: wins against binomial(n, 1/2); used if a run has no value, which loses against any value

    Student 1908, "The probable error of a mean". The sign test is exact and makes no assumption about the distribution
    of the values. Runs of equal seeds share initial weights and the order of the data, so differences have a smaller
    variance than values.

    With crossed seeds the t test uses the standard error and the degrees of freedom of `error_of_mean`, and the sign
    test those runs of which no two share a seed.

    Args:
        first: lower is better.
        second: likewise.
        levels: seeds of every kind of each run, if several kinds of seeds were varied.

    >>> compare({0: 1.0, 1: 2.0, 2: 3.0}, {0: 2.0, 1: 3.1, 2: 3.9}).sign
    -1
    """
    seeds = [seed for seed in first if seed in second]
    a, b = (np.array([scores[seed] for seed in seeds], dtype=np.float64) for scores in (first, second))
    known, crossed = np.isfinite(a) & np.isfinite(b), _crossed(levels, seeds)
    d = (a - b)[known]
    mean = float(d.mean()) if len(d) else math.nan
    if known.all() and len(d) < 2:
        return Comparison(int(np.sign(mean)) if len(d) else 0, mean, 1.0, "", len(d))
    n, degrees = float(len(d)), len(d) - 1.0
    error = float(d.std(ddof=1)) / math.sqrt(n) if known.all() else 0.0
    if error and crossed is not None:
        error, degrees = error_of_mean(d, crossed)
        n = degrees + 1
    if error == 0:
        # A run has no value; or the differences are constant, and the t statistic is undefined.
        chosen = slice(None) if crossed is None else independent(crossed)
        test = _sign_test(a[chosen], b[chosen], mean)
    else:
        p = 2 * float(special.stdtr(degrees, -abs(mean / error)))
        test = Comparison(int(np.sign(mean)), mean, p, "t", len(d), mean / (error * math.sqrt(n)), repetitions=n)
    return test if crossed is None else replace(test, num_levels=most(crossed))


def _crossed(levels: LevelsBySeed | None, seeds: Sequence[Any]) -> np.ndarray | None:
    """Return the factors of crossed seeds; None if all runs are independent."""
    found = factors([levels[seed] for seed in seeds]) if levels and seeds else None
    return found if found is not None and found.shape[1] else None


def _sign_test(a: np.ndarray, b: np.ndarray, mean: float) -> Comparison:
    a, b = (np.where(np.isfinite(side), side, np.inf) for side in (a, b))
    lower, higher = int((a < b).sum()), int((a > b).sum())
    n, most = lower + higher, max(lower, higher)
    p = min(1.0, 2 * float(special.bdtrc(most - 1, n, 0.5))) if n else 1.0
    return Comparison(int(np.sign(higher - lower)), mean, p, "sign" if n else "", len(a), most / n if n else math.nan)


def compare_all(
    scores: Sequence[Scores],
    pairs: Sequence[tuple[int, int]],
    family: int | None = None,
    level: float = 0.05,
    margin: float | None = None,
    levels: LevelsBySeed | None = None,
) -> list[Comparison]:
    """Compare pairs of configurations, with Holm's correction over all tests.

    With a margin, each pair is also tested for equivalence. The null hypotheses of a pair, equal means and means that
    differ by the margin or more, exclude each other, so at most one of the two tests of a pair can be wrong.

    Args:
        scores: scores of every configuration by seed; lower is better.
        pairs: index pairs into `scores`.
        family: number of pairs that these were selected from, if they were selected by their values.
        level: familywise error rate.
        margin: see `equivalence_p`; None for no test of equivalence.
        levels: as in `compare`.
    """
    family = len(pairs) if family is None else family
    comparisons = [compare(scores[a], scores[b], levels) for a, b in pairs]
    p_values = [comparison.p for comparison in comparisons]
    if margin is not None:
        p_values += [_equivalence_p(scores[a], scores[b], margin, levels) for a, b in pairs]
    adjusted = holm(p_values, family if margin is None else 2 * family, family)
    different, equivalent = adjusted[: len(pairs)], adjusted[len(pairs) :]
    undecided = int((different > level).sum()) + family - len(pairs)
    next_level = level / max(undecided if margin is None else family, 1)
    return [
        replace(
            comparison,
            adjusted=float(different[n]),
            next_level=next_level,
            margin=margin,
            equivalence=1.0 if margin is None else float(equivalent[n]),
        )
        for n, comparison in enumerate(comparisons)
    ]


def _equivalence_p(first: Scores, second: Scores, margin: float, levels: LevelsBySeed | None) -> float:
    """Return the p-value of `equivalence_p` on the common seeds; 1 if a run has no value."""
    seeds = [seed for seed in first if seed in second]
    d = np.array([first[seed] - second[seed] for seed in seeds], dtype=np.float64)
    return equivalence_p(d, margin, _crossed(levels, seeds)) if np.isfinite(d).all() else 1.0


def power_of_t(n: int, effect: float, level: float) -> float:
    """Return the power of a two-sided paired t test on n seeds.

        P(|T| > t(1 - level / 2, n - 1)),   T noncentral t with n - 1 degrees of freedom about effect sqrt(n)

    Cohen 1988, "Statistical power analysis for the behavioral sciences", chapter 2.

    Args:
        n: number of seeds, at least 2.
        effect: mean of the differences divided by their standard deviation.
        level: significance level.
    """
    critical, shift = stats.t.isf(level / 2, n - 1), abs(effect) * math.sqrt(n)
    return float(stats.nct.sf(critical, n - 1, shift) + stats.nct.cdf(-critical, n - 1, shift))


def power_of_sign(n: int, share: float, level: float) -> float:
    """Return the power of a two-sided sign test on n seeds if one side wins a seed with probability `share`.

    P(B >= c) + P(B <= n - c),   B binomial(n, share),   c the least count with 2 P(B(n, 1/2) >= c) <= level
    """
    below = int(stats.binom.isf(level / 2, n, 0.5)) + 1
    counts = range(max(below - 1, 0), n + 1)
    c = next((count for count in counts if 2 * stats.binom.sf(count - 1, n, 0.5) <= level), None)
    if c is None:
        return 0.0
    return float(stats.binom.sf(c - 1, n, share) + stats.binom.cdf(n - c, n, share))


@cache
def seeds_for_t(effect: float, level: float, power: float = 0.8) -> int | None:
    """Return the smallest number of seeds for which `power_of_t` reaches `power`, None above 1000.

    >>> seeds_for_t(effect=1.0, level=0.05)
    10
    """
    if effect == 0:
        return None
    low, high = 1, 2  # search from below: the noncentral t loses all precision far above the needed number
    while power_of_t(high, effect, level) < power:
        low, high = high, 2 * high
        if low >= MAX_SEEDS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power_of_t(middle, effect, level) >= power else (middle, high)
    return high if high <= MAX_SEEDS else None


@cache
def seeds_for_sign(share: float, level: float, power: float = 0.8) -> int | None:
    """Return the smallest number of seeds for which `power_of_sign` reaches `power`, None above 1000.

    The power of the sign test is not monotonic in n, so every n is evaluated.

    >>> seeds_for_sign(share=1.0, level=0.05)
    6
    """
    if abs(share - 0.5) < 0.02:
        return None
    return next((n for n in range(2, MAX_SEEDS + 1) if power_of_sign(n, share, level) >= power), None)
