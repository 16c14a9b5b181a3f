"""Parts of statements: an estimate with its interval, and p-values for the part and against it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from gansweep.papers.compare import rank_correlation
from gansweep.statistics.equivalence import equivalence_p, seeds_for_equivalence
from gansweep.statistics.estimate import estimate
from gansweep.statistics.paired import Scores, compare, seeds_for_sign

LEVEL = 0.05
SEEDS = "seeds"  # what the runs of a paired comparison are counted in
FEWEST = 3  # seeds: with two, a t test needs an effect of nine standard deviations
SAME_ORDER = 0.5  # Spearman's rank correlation from which two orders count as the same
NOISY = "longer runs, in which the values differ more"  # needed by a rank correlation
INFINITY = math.inf


@dataclass(frozen=True)
class Point:
    """A printed value and the measured values of the seeds."""

    label: str
    printed: float
    measured: Sequence[float]


@dataclass(frozen=True)
class Part:
    """A part of a statement that can be true or false, and its test.

    Args:
        label: what is compared.
        estimate: the measured quantity.
        low: lower end of its 95 % interval; NaN without an interval.
        high: upper end.
        claimed: interval that contains the quantity if the part is true.
        p_for: p-value of the null hypothesis that the part is false.
        p_against: p-value of the null hypothesis that the part is true.
        runs: number of seeds, cells or runs.
        counted: what `runs` counts, in the plural.
        steps: steps of the longest run.
        printed: the printed value of the quantity; None if there is none.
        more_seeds: number of further seeds for a power of 80 % at the observed effect; None if seeds do not help.
        needs: what would decide it instead of seeds or steps; empty for those.
        points: printed and measured values behind the estimate, if it is a correlation.
    """

    label: str
    estimate: float
    low: float
    high: float
    claimed: tuple[float, float]
    p_for: float
    p_against: float
    runs: int
    counted: str = SEEDS
    steps: int = 0
    printed: float | None = None
    more_seeds: int | None = None
    needs: str = ""
    points: Sequence[Point] = ()


def better(
    label: str, first: Scores, second: Scores, scale: float = 1.0, printed: float | None = None, steps: int = 0
) -> Part:
    """Return the part "the first configuration has lower values", tested by `compare` on the common seeds.

    The estimate is the mean of second - first, divided by `scale`, with Student's t interval.

    Args:
        label: names of both.
        first: values by seed, lower is better; NaN for a diverged run.
        second: likewise.
        scale: unit of the estimate.
        printed: printed difference in the same unit.
        steps: steps of the longest run.
    """
    test = compare(first, second)
    gains = [(second[seed] - first[seed]) / scale for seed in first if seed in second]
    interval = estimate(gains)
    more = test.more_seeds() if test.test else max(1, FEWEST - test.num_seeds)
    return Part(
        label,
        interval.mean,
        interval.low,
        interval.high,
        (0.0, INFINITY),
        test.p if test.sign < 0 else 1.0,
        test.p if test.sign > 0 else 1.0,
        test.num_seeds,
        steps=steps,
        printed=printed,
        more_seeds=more,
    )


def alike(label: str, first: Scores, second: Scores, margin: float, scale: float = 1.0, steps: int = 0) -> Part:
    """Return the part "the means differ by less than a margin", tested by `equivalence_p`.

    The opposite is tested by a t test of |mean| >= margin. The interval is that of the mean of second - first.

    Args:
        label: names of both.
        first: values by seed.
        second: likewise.
        margin: largest difference that counts as none, in units of `scale`.
        scale: unit of the estimate.
        steps: steps of the longest run.
    """
    d = np.array([(second[seed] - first[seed]) / scale for seed in first if seed in second])
    interval, n = estimate(d.tolist()), len(d)
    finite = n > 1 and bool(np.isfinite(d).all())
    se = interval.sd / math.sqrt(n) if finite else math.nan
    beyond = abs(interval.mean) - margin
    more = seeds_for_equivalence(interval.mean, interval.sd, margin, LEVEL) if finite else FEWEST
    return Part(
        label,
        interval.mean,
        interval.low,
        interval.high,
        (-margin, margin),
        equivalence_p(d, margin) if finite else 1.0,
        float(special.stdtr(n - 1, -beyond / se)) if finite and se > 0 and beyond > 0 else 1.0,
        n,
        steps=steps,
        more_seeds=None if more is None else max(1, more - n),
    )


def same_order(
    label: str, printed: Mapping[str, float], measured: Mapping[str, Sequence[float]], counted: str, steps: int = 0
) -> Part:
    """Return the part "the order is that in print": Spearman's rank correlation of printed values and means over seeds.

        z = (atanh(rho) - atanh(0.5)) / se,   se^2 = (1 + rho^2 / 2) / (n - 3)

    The correlation of the statement is at least 0.5, since both sides are subject to the variation between seeds. The
    interval is tanh(atanh(rho) -+ 1.96 se); Bonett and Wright 2000, doi:10.1007/BF02294183.

    Args:
        label: what is ordered.
        printed: printed values by cell.
        measured: values of the seeds by cell; cells without a value are omitted.
        counted: what a cell is, in the plural.
        steps: steps of the longest run.
    """
    points = [Point(key, value, measured[key]) for key, value in printed.items() if measured.get(key)]
    means = {point.label: float(np.mean(point.measured)) for point in points}
    rho, n = rank_correlation({point.label: point.printed for point in points}, means)
    if math.isnan(rho) or n < 4:
        interval, both = (math.nan, math.nan), (1.0, 1.0)
        return Part(label, rho, *interval, (SAME_ORDER, 1.0), *both, n, counted, steps, needs=NOISY, points=points)
    inside = min(max(rho, -1 + 1e-9), 1 - 1e-9)
    se = math.sqrt((1 + rho**2 / 2) / (n - 3))
    z = (math.atanh(inside) - math.atanh(SAME_ORDER)) / se
    p = 2 * float(special.ndtr(-abs(z)))
    half = float(special.ndtri(1 - LEVEL / 2)) * se
    low, high = (math.tanh(math.atanh(inside) + sign * half) for sign in (-1, 1))
    both = (p if z > 0 else 1.0, p if z < 0 else 1.0)
    return Part(label, rho, low, high, (SAME_ORDER, 1.0), *both, n, counted, steps, needs=NOISY, points=points)


def most(label: str, count: int, runs: int, expected: bool, printed: float | None = None, steps: int = 0) -> Part:
    """Return the part "most runs do", or "most runs do not": a binomial test of the share against a half.

    The interval is the exact one of Clopper and Pearson 1934.

    Args:
        label: which runs, and what they do.
        count: number of runs that do.
        runs: number of runs.
        expected: whether most runs are stated to do so.
        printed: printed share.
        steps: steps of the longest run.
    """
    claimed = (0.5, 1.0) if expected else (0.0, 0.5)
    if not runs:
        return Part(
            label, math.nan, math.nan, math.nan, claimed, 1.0, 1.0, 0, "runs", printed=printed, more_seeds=FEWEST
        )
    result = stats.binomtest(count, runs, 0.5)
    low, high = result.proportion_ci(1 - LEVEL, method="exact")
    p, true = float(result.pvalue), (2 * count > runs) == expected
    both = (p if true else 1.0, 1.0 if true else p)
    needed = seeds_for_sign(max(count, runs - count) / runs, LEVEL)
    more = None if needed is None else max(1, needed - runs)
    return Part(label, count / runs, float(low), float(high), claimed, *both, runs, "runs", steps, printed, more)


def deterministic(label: str, value: float, claimed: tuple[float, float], steps: int) -> Part:
    """Return a part about a training without random numbers: one run decides it."""
    true = claimed[0] <= value <= claimed[1]
    return Part(
        label,
        value,
        math.nan,
        math.nan,
        claimed,
        0.0 if true else 1.0,
        1.0 if true else 0.0,
        1,
        steps=steps,
    )
