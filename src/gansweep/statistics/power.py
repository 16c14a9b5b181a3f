"""Power analysis: number of seeds needed to distinguish two configurations."""

from __future__ import annotations

import math
from functools import cache

from scipy import stats

MOST = 1000


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
        if low >= MOST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power_of_t(middle, effect, level) >= power else (middle, high)
    return high if high <= MOST else None


@cache
def seeds_for_sign(share: float, level: float, power: float = 0.8) -> int | None:
    """Return the smallest number of seeds for which `power_of_sign` reaches `power`, None above 1000.

    The power of the sign test is not monotonic in n, so every n is evaluated.

    >>> seeds_for_sign(share=1.0, level=0.05)
    6
    """
    if abs(share - 0.5) < 0.02:
        return None
    return next((n for n in range(2, MOST + 1) if power_of_sign(n, share, level) >= power), None)
