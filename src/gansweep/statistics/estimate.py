"""Mean over seeds with its confidence interval, and the interval of a median from order statistics."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from gansweep.statistics.crossed_seeds import Levels, error_of_mean, factors

FEWEST_FOR_BOOTSTRAP = 10
RESAMPLES = 10_000


@dataclass(frozen=True)
class Estimate:
    """Mean over the seeds that have a value, with its confidence interval.

    Args:
        mean: mean of the values; NaN if there are none.
        sd: sample standard deviation over seeds (divisor n - 1); NaN for fewer than two values.
        low: lower end of the confidence interval of the mean; NaN for fewer than two values.
        high: upper end of the interval.
        n: number of seeds with a value.
        num_na: number of seeds without a value; the fields above exclude them.
        method: method of the interval: "t", "crossed", "bca", "percentile", or "" if there is no interval.
    """

    mean: float
    sd: float
    low: float
    high: float
    n: int
    num_na: int
    method: str


def estimate(
    values: Sequence[float], confidence: float = 0.95, method: str | None = None, levels: Levels | None = None
) -> Estimate:
    """Estimate the mean and its confidence interval from one value per seed.

        bca, percentile: quantiles of the means of 10,000 resamples, Efron 1987, doi:10.1080/01621459.1987.10478410
        t: mean -+ t(n - 1) sd / sqrt(n)
        crossed: mean -+ t(degrees) error, see `error_of_mean`; used if runs share seeds of one kind

    The bootstrap undercovers for few seeds: for normal values its 95 % interval contains the true mean in about 3 of 4
    sweeps of three seeds, 5 of 6 of five, and 9 of 10 of ten (measured in tests/statistics/test_estimate.py). Below ten
    seeds the default is therefore Student's t interval, which has its nominal coverage for approximately normal
    values. The resamples are the same at every call.

    Args:
        values: one value per seed (n,), NaN for a run without a value.
        confidence: coverage probability of the interval.
        method: "t", "bca" or "percentile"; None chooses by the number of seeds.
        levels: seeds of every kind of each run (n, kinds), if several kinds of seeds were varied.

    Raises:
        ValueError: the method is unknown.

    >>> result = estimate([50.0, 60.0, 70.0, float("nan")])
    >>> result.mean, result.sd, result.n, result.num_na, result.method
    (60.0, 10.0, 3, 1, 't')
    """
    if method not in (None, "t", "bca", "percentile"):
        raise ValueError(f"method={method!r}: expected t, bca, percentile or None")
    every = np.asarray(values, dtype=np.float64)
    known = every[np.isfinite(every)]
    n, num_na = len(known), len(every) - len(known)
    mean = float(known.mean()) if n else math.nan
    if n < 2:
        return Estimate(mean, math.nan, math.nan, math.nan, n, num_na, "")
    sd = float(known.std(ddof=1))
    if sd == 0:  # all resamples are equal, and BCa would divide by zero
        return Estimate(mean, 0.0, mean, mean, n, num_na, method or "t")
    crossed = None if levels is None else factors(np.asarray(levels)[np.isfinite(every)].tolist())
    if crossed is not None and crossed.shape[1]:
        method = "crossed"
        error, degrees = error_of_mean(known, crossed)
        half = _t_quantile(degrees, confidence) * error
        low, high = mean - half, mean + half
    else:
        method = method or ("t" if n < FEWEST_FOR_BOOTSTRAP else "bca")
        low, high = _interval(known, mean, sd, method, confidence)
    return Estimate(mean, sd, low, high, n, num_na, method)


def _interval(values: np.ndarray, mean: float, sd: float, method: str, confidence: float) -> tuple[float, float]:
    """Return the confidence interval of the mean of independent values (n,), given their mean and deviation."""
    from scipy import stats  # its import takes half a second, and table.md does not need it

    if method == "t":
        half = _t_quantile(len(values) - 1, confidence) * sd / math.sqrt(len(values))
        return mean - half, mean + half
    interval = stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=RESAMPLES,
        confidence_level=confidence,
        method="BCa" if method == "bca" else "percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return float(interval.low), float(interval.high)


def _t_quantile(degrees: float, confidence: float) -> float:
    from scipy import stats

    return float(stats.t.ppf((1 + confidence) / 2, degrees))


def median_interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float]:
    """Return a two-sided confidence interval of the median, for any distribution of the values.

        [T_(l), T_(n + 1 - l)],   largest l with P(Binomial(n, 1/2) < l) <= (1 - confidence) / 2

    David and Nagaraja 2003, Order Statistics, section 7.1. With ties the coverage is larger. It is (-inf, inf) if n is
    too small for any l: six values are the least for 95 %.

    Args:
        values: (n,); infinity for a value beyond all others, such as a time that is never reached.
        confidence: between 0 and 1.

    >>> median_interval([1, 2, 3, 4, 5, 6]), median_interval([1, 2, 3, 4, 5])
    ((1.0, 6.0), (-inf, inf))
    """
    ordered = sorted(float(value) for value in values)
    n = len(ordered)
    below = stats.binom.cdf(np.arange(n), n, 0.5)  # entry l - 1: P(B < l)
    low = int((below <= (1 - confidence) / 2).sum())
    return (ordered[low - 1], ordered[n - low]) if low else (-math.inf, math.inf)
