"""Decision of a race whether a run is dropped after an evaluation."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from gansweep.interfaces import Metric

log = logging.getLogger(__name__)


def drop(
    limits: Mapping[int, float], metric: Metric, evaluations: Sequence[Mapping[str, Any]], step: int
) -> dict[str, Any] | None:
    """Return the field `dropped` of the record if the evaluation at a step is worse than its limit, else None.

    Args:
        limits: worst values by step, computed by `sweep.step_race`; steps without a limit are not in it.
        metric: what was evaluated.
        evaluations: of the run so far.
        step: of the run.
    """
    newest, limit = (evaluations or [{}])[-1], limits.get(step)
    value = newest.get("value")
    if limit is None or value is None or newest["step"] != step:
        return None
    if (value <= limit) if metric.lower_is_better else (value >= limit):
        return None
    log.info("dropped at step %d: %s %.4g, limit %.4g", step, metric.name, value, limit)
    return {"by": "race=steps", "step": step, "value": value, "limit": limit}
