"""Whether a training broke down, and what fell first."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from gansweep.papers.trained import Trained

LOSS_BELOW = 1.0  # of the discriminator, which stays just under 2 ln 2 = 1.386 as long as all is well
WORSE = 1.5  # times the best value so far


@dataclass(frozen=True)
class Reading:
    """What an evaluation tells, with the losses since the one before.

    Args:
        step: of the evaluation.
        score: the metric, lower is better.
        d_loss: mean of the discriminator's losses since the last reading.
        fit_loss: mean of the approximator's, likewise.
        loss_fell: D's loss is below 1, and the median of those before was not.
        score_fell: the metric is 1.5 times its best so far, or worse.
    """

    step: int
    score: float
    d_loss: float
    fit_loss: float
    loss_fell: bool
    score_fell: bool


def readings(cell: Trained) -> list[Reading]:
    """Read the evaluations of a cell beside the losses in its record; none without them."""
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
