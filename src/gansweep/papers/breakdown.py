"""Detection of training collapse from the discriminator loss and the metric."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from gansweep.papers.trained import Trained

LOSS_BELOW = 1.0  # threshold on the discriminator loss, which is just under 2 ln 2 = 1.386 in stable training
WORSE = 1.5  # factor on the best value so far


@dataclass(frozen=True)
class Reading:
    """An evaluation, with the mean losses since the previous one.

    Args:
        step: step of the evaluation.
        score: the metric, lower is better.
        d_loss: mean discriminator loss since the previous reading.
        fit_loss: mean approximator loss since the previous reading.
        loss_fell: whether the discriminator loss is below 1 and the median of the earlier ones is not.
        score_fell: whether the metric is at least 1.5 times its best value so far.
    """

    step: int
    score: float
    d_loss: float
    fit_loss: float
    loss_fell: bool
    score_fell: bool


def readings(cell: Trained) -> list[Reading]:
    """Return the evaluations of a cell with its recorded losses; empty without recorded losses."""
    kept = cell.record.get("curves", [])
    points = [
        {point["step"]: point[name] for point in kept if point.get(name) is not None}
        for name in ("discriminator_loss", "approximator_loss")
    ]
    found: list[Reading] = []
    before = 0
    for step, score in cell.values.items():
        if step == 0:
            continue
        losses, fits = ([value for at, value in series.items() if before < at <= step] for series in points)
        before = step
        if not losses or not fits:
            continue
        d_loss, earlier = statistics.fmean(losses), [one.d_loss for one in found]
        fell = d_loss < LOSS_BELOW and bool(earlier) and statistics.median(earlier) >= LOSS_BELOW
        best = min((one.score for one in found), default=score)
        found.append(Reading(step, score, d_loss, statistics.fmean(fits), fell, score >= WORSE * best))
    return found
