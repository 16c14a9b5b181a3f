"""Check whether training improved a metric over the untrained generator."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable

LEAST = 0.01  # of the untrained value: the least improvement that counts as one


def no_better_than_untrained(pairs: Iterable[tuple[float | None, float | None]], lower_is_better: bool) -> bool:
    """Return True if one configuration is on average at most 1 % better than its own untrained generators.

        mean of sign * (untrained - value) <= 0.01 |mean of untrained|,   sign = 1 if lower is better, else -1

    Both values of a pair are of one seed, so the initial weights and the latents of the evaluation are the same. A
    significance test would not do: with equal latents it finds improvements far below any useful one, and it misses
    large ones where the seeds differ much. Runs that lack one of the values, because they diverged or were not measured
    at step 0, are left out. Without any complete pair the result is False.

    Args:
        pairs: value and untrained value of every run.
        lower_is_better: direction of the metric.

    >>> no_better_than_untrained([(1.92, 1.78), (1.75, 1.82)], lower_is_better=True)
    True
    >>> no_better_than_untrained([(1.97397, 1.97399)], lower_is_better=True)
    True
    """
    sign = 1 if lower_is_better else -1
    complete = [
        (value, untrained)
        for value, untrained in pairs
        if value is not None and untrained is not None and math.isfinite(value) and math.isfinite(untrained)
    ]
    if not complete:
        return False
    improvement = statistics.fmean(sign * (untrained - value) for value, untrained in complete)
    return improvement <= LEAST * abs(statistics.fmean(untrained for _, untrained in complete))
