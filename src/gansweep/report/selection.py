"""Which of a run's evaluations it is judged by."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gansweep.statistics.halves import best_of_halves

FINAL, BEST = "final", "best"
SELECTIONS = (FINAL, BEST)
HALVES = "halves"  # of an evaluation: the metric on either half of the latents


@dataclass(frozen=True)
class Selected:
    """One value of a run.

    Args:
        value: NaN if the run has none.
        step: of the evaluation, None without one.
        optimistic: it was chosen by its own noise: the best of several, on the latents that it was measured on.
    """

    value: float
    step: int | None = None
    optimistic: bool = False


def select(metric: Mapping[str, Any], how: str) -> Selected:
    """Return the value after the last step, or the best on the way.

    The best is chosen on one half of the evaluation latents and reported on the other where a record has both
    halves (`"halves": [first, second]` in every evaluation after step 0); else it is the best of the values, which is
    optimistic. A run that diverged has no final value, but may have a best one before.
    """
    if how == FINAL:
        value = metric.get("final")
        return Selected(math.nan if value is None else float(value), metric.get("final_step"))
    evaluations = [one for one in metric.get("evaluations", []) if one.get("step", 0) > 0]
    if evaluations and all(isinstance(one.get(HALVES), Sequence) for one in evaluations):
        sign = 1 if metric.get("lower_is_better", True) else -1
        first, second = ([_signed(one[HALVES][side], sign) for one in evaluations] for side in (0, 1))
        found = best_of_halves(first, second)
        return Selected(math.nan) if found is None else Selected(sign * found[1], evaluations[found[0]]["step"])
    value = metric.get("best")
    return (
        Selected(math.nan) if value is None else Selected(float(value), metric.get("best_step"), len(evaluations) > 1)
    )


def _signed(value: float | None, sign: int) -> float:
    return math.nan if value is None else sign * float(value)
