"""Selection of the evaluation that represents a run: final or best."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FINAL = "final"  # the other one is "best"


@dataclass(frozen=True)
class Selected:
    """The selected value of a run.

    Args:
        value: NaN if the run has none.
        step: step of the evaluation; None without an evaluation.
        optimistic: whether the value is biased, as the best of several on the latents that it is reported on.
    """

    value: float
    step: int | None = None
    optimistic: bool = False


def select(metric: Mapping[str, Any], how: str) -> Selected:
    """Return the value after the last step (`final`) or the best of all evaluations (`best`).

    The best evaluation is chosen by its value. The reported value is the holdout value of the same generator on other
    latents (`best_apart`), where the record has it. Otherwise it is the best value, which is biased: the minimum of n
    noisy values lies about sd sqrt(2 log n) below the true value. A diverged run has no final value, but may have a
    best one from before.

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
