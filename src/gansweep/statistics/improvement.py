"""Check whether training improved a metric over the untrained generator."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable


def no_better_than_untrained(pairs: Iterable[tuple[float | None, float | None]], lower_is_better: bool) -> bool:
    """Return True if one configuration is on average no better than its own untrained generators.

        mean over runs of sign * (value - untrained) >= 0,   sign = 1 where lower is better, -1 where higher is

    Both values of a pair are of one seed, so the initial weights and the latents of the evaluation are the same. Runs
    that lack one of them, because they diverged or were not measured at step 0, are left out. Without any complete
    pair the result is False.

    Args:
        pairs: value and untrained value of every run.
        lower_is_better: direction of the metric.

    >>> no_better_than_untrained([(1.92, 1.78), (1.75, 1.82)], lower_is_better=True)
    True
    """
    sign = 1 if lower_is_better else -1
    differences = [
        sign * (value - untrained)
        for value, untrained in pairs
        if value is not None and untrained is not None and math.isfinite(value) and math.isfinite(untrained)
    ]
    return bool(differences) and statistics.fmean(differences) >= 0
