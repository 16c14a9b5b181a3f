"""Time to target: the first step at which a metric reaches a target."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def time_to_target(steps: Sequence[float], values: Sequence[float], target: float) -> float:
    """Return the first evaluated step at which the value is at most the target, infinity if there is none.

    Steps between evaluations are not interpolated, as in AlgoPerf (Dahl et al. 2023, arXiv:2306.07179).

    >>> time_to_target([0, 10, 20], [9.0, 4.0, 5.0], target=5.0), time_to_target([0], [float("nan")], target=5.0)
    (10.0, inf)
    """
    reached = np.flatnonzero(np.asarray(values, dtype=np.float64) <= target)
    return float(steps[reached[0]]) if len(reached) else float("inf")
