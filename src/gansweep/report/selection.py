"""Which of a run's evaluations it is judged by."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FINAL = "final"  # the other one is "best"


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

    The best is chosen by its value and reported by what other latents say of the same generator, where a record has
    that (`best_apart`); else it is the best of the values, which is optimistic: the least of n noisy values lies below
    what it measures, by about sd sqrt(2 log n). A run that diverged has no final value, but may have a best one before.

    >>> select({"best": 1.0, "best_step": 10, "best_apart": 1.4, "final": 2.0}, "best")
    Selected(value=1.4, step=10, optimistic=False)
    """
    if how == FINAL:
        value = metric.get("final")
        return Selected(math.nan if value is None else float(value), metric.get("final_step"))
    value, apart = metric.get("best"), metric.get("best_apart")
    if value is None:
        return Selected(math.nan)
    if apart is not None:
        return Selected(float(apart), metric.get("best_step"))
    several = sum(one.get("step", 0) > 0 for one in metric.get("evaluations", [])) > 1
    return Selected(float(value), metric.get("best_step"), several)
