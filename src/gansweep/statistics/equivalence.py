"""Equivalence of two configurations: the difference of their means is smaller than a margin."""

from __future__ import annotations

import math

import numpy as np
from scipy import special, stats

from gansweep.statistics.crossed_seeds import error_of_mean, fewest

MAX_SEEDS = 1000  # beyond this the power is not calculated
QUANTILES = 256  # of the sample standard deviation, for the power


def equivalence_p(differences: np.ndarray, margin: float, crossed: np.ndarray | None = None) -> float:
    """Return the p-value of two one-sided paired t tests (TOST) of |mean difference| < margin.

        p = max(P(T <= (mean(d) - margin) / se), P(T >= (mean(d) + margin) / se)),   se = sd(d) / sqrt(n)

    T has n - 1 degrees of freedom. Schuirmann 1987, doi:10.1007/BF01068419. The null hypothesis is that the difference
    of the means is at least the margin in one direction. If all differences are equal, t is undefined; p is then that
    of the sign test on margin - |d|, 2^-n if they are within the margin.

    Args:
        differences: first - second on each common seed (n,), finite.
        margin: half width of the region of equivalence, in units of the metric.
        crossed: factors of crossed seeds; se and the degrees of freedom are then those of `error_of_mean`.

    Returns:
        The p-value; 1 with fewer than two differences.

    Raises:
        ValueError: the margin is not positive.

    >>> round(equivalence_p(np.array([0.1, -0.1, 0.05, -0.05]), margin=0.5), 4)
    0.0008
    """
    if not margin > 0:
        raise ValueError(f"margin={margin}: expected a number above 0")
    d = np.asarray(differences, dtype=np.float64)
    n = len(d)
    if n < 2:
        return 1.0
    mean, se, degrees = float(d.mean()), float(d.std(ddof=1)) / math.sqrt(n), float(n - 1)
    if crossed is not None:
        se, degrees = error_of_mean(d, crossed)
    if se == 0:
        return 0.5 ** (n if crossed is None else fewest(crossed)) if abs(mean) < margin else 1.0
    return float(special.stdtr(degrees, (abs(mean) - margin) / se))


def power_of_equivalence(n: int, difference: float, sd: float, margin: float, level: float) -> float:
    """Return the power of `equivalence_p` at a true difference d of the means.

        E over s of max(0, Phi((c(s) - d) / se) - Phi((-c(s) - d) / se))
        c(s) = margin - t(1 - level, n - 1) s / sqrt(n)

    s is the standard deviation of a sample of normal differences, (n - 1) s^2 / sd^2 is chi^2 with n - 1 degrees of
    freedom, and se = sd / sqrt(n). Phillips 1990, doi:10.1007/BF01063556.

    Args:
        n: number of seeds, at least 2.
        difference: true difference of the means.
        sd: standard deviation of the differences of the seeds.
        margin: half width of the region of equivalence.
        level: significance level.
    """
    quantiles = stats.chi2.ppf((np.arange(QUANTILES) + 0.5) / QUANTILES, n - 1)
    se = sd / math.sqrt(n)
    half = margin - float(stats.t.isf(level, n - 1)) * se * np.sqrt(quantiles / (n - 1))
    inside = special.ndtr((half - difference) / se) - special.ndtr((-half - difference) / se)
    return float(np.where(half > 0, inside, 0.0).mean())


def seeds_for_equivalence(difference: float, sd: float, margin: float, level: float, power: float = 0.8) -> int | None:
    """Return the smallest number of seeds for a power of 80 %; None above 1000, or if |difference| >= margin.

    >>> seeds_for_equivalence(difference=0.0, sd=1.0, margin=1.0, level=0.05)
    11
    """
    if abs(difference) >= margin:
        return None
    numbers = range(2, MAX_SEEDS + 1)
    return next((n for n in numbers if power_of_equivalence(n, difference, sd, margin, level) >= power), None)
