"""Two settings, the same seeds: which is better?"""

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
    """What the seeds that both were trained from say.

    Args:
        sign: -1 where the first has the lower values, 1 where the second, 0 where neither.
        difference: mean of first - second over the seeds of which both have a value, NaN without any.
        p: chance of such a difference, or a larger one, between equal settings; 1 where nothing can be said.
        test: "t", "sign" or "" where nothing could be tested.
        num_seeds: that both were trained from.
        strength: what the number of seeds needed depends on: mean over standard deviation, or share of wins.
        adjusted: p after Holm's correction for all comparisons.
        next_level: which p would have been small enough, given how many comparisons are undecided.
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
        """Tell whether one of the two is better for certain enough."""
        return self.sign != 0 and self.adjusted <= level

    def more_seeds(self) -> int | None:
        """Return about how many more would decide with a chance of 80 %, if the seeds so far are like all others.

        None where not even 1000 would, or where there is nothing to go by.
        """
        if not self.test or self.sign == 0:
            return None
        needed = (seeds_for_t if self.test == "t" else seeds_for_sign)(self.strength, self.next_level)
        return None if needed is None else max(1, needed - self.num_seeds)


def compare(first: Scores, second: Scores) -> Comparison:
    """Compare by the seeds that both were trained from.

        t: mean(d) / (sd(d) / sqrt(n)) against Student's t with n - 1 degrees of freedom,   d = first - second
        sign: wins against binomial(n, 1/2), where a run has no value; it loses against any that has one

    Student 1908, "The probable error of a mean"; the sign test is exact and asks nothing of the values. Equal seeds
    share initial weights and the order of the data, so that differences vary less than values.

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
        # Equal runs, or differences without any spread, which no random numbers have.
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
    """Compare pairs of settings, with Holm's correction for all of them.

    Args:
        scores: of every setting; lower is better.
        pairs: of places in `scores`.
        family: how many pairs there were to choose from, if these were chosen by their values.
        level: chance of any wrong answer.
    """
    found = [compare(scores[a], scores[b]) for a, b in pairs]
    adjusted = holm([one.p for one in found], family)
    undecided = int((adjusted > level).sum()) + (family or len(pairs)) - len(pairs)
    next_level = level / max(undecided, 1)
    return [replace(one, adjusted=float(p), next_level=next_level) for one, p in zip(found, adjusted, strict=True)]
