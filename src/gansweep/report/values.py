"""Report section: figures of the metric against the settings, the steps and the time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from gansweep.report.pictures.curves import curves_picture, metrics
from gansweep.report.pictures.heat import heat_picture
from gansweep.report.pictures.losses import losses_picture, watched
from gansweep.report.pictures.rates import rates_picture
from gansweep.report.pictures.schedules import schedules_picture, varies
from gansweep.report.plot_axes import MOST_PANELS, Roles
from gansweep.report.verdict import Verdict
from gansweep.section import Section
from gansweep.training.record import trained_s

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def section(verdict: Verdict) -> Section | None:
    """Return the section with all applicable figures; None if no run has a value."""
    roles = Roles.of(verdict.contest)
    if not any(one.estimate.n for one in verdict.contest.candidates):
        return None
    pictures: dict[str, Callable[[], Figure]] = {}
    name, how = verdict.contest.metric_name, verdict.contest.how.capitalize()
    if len(roles.rates) > 1:
        pictures[f"{how} {name} against {roles.rate}: means, 95 % intervals and N/A runs"] = partial(
            rates_picture, verdict
        )
        if len(roles.methods) > 1:
            pictures[f"{how} {name} by {roles.method} and {roles.rate}; hatched: every run is N/A"] = partial(
                heat_picture, verdict
            )
    timed = _timed(verdict)
    for key, metric in metrics(verdict.contest).items():
        repeated = any(len(one.scores) > 1 for one in verdict.contest.candidates)
        seeds = ": mean over seeds, band from minimum to maximum" if repeated else ""
        words = f"{metric.get('name', 'result')} over {{}}{seeds}"
        pictures[words.format("the steps")] = partial(curves_picture, verdict, key)
        if timed:
            pictures[words.format("the training time")] = partial(curves_picture, verdict, key, over_time=True)
    if watched(verdict):
        pictures["Losses of the best configuration of each method, run with the median value"] = partial(
            losses_picture, verdict
        )
    if varies(verdict):
        pictures["Learning rate schedules, as factors of the base rate"] = partial(schedules_picture, verdict)
    left = _left_out(roles)
    few = (
        f" Figures show the first {MOST_PANELS} panels; the other {left} combinations are in the table." if left else ""
    )
    text = f"The figures show all finished runs.{few}{_of_time(timed)}"
    return Section("Values", text, pictures, text_is_about_pictures=True)


def _left_out(roles: Roles) -> int:
    combinations = {tuple(str(one.settings[key]) for key in roles.rest) for one in roles.contest.candidates}
    return max(0, len(combinations) - MOST_PANELS)


def _timed(verdict: Verdict) -> list[Mapping[str, Any]]:
    """Return the records with a training time for evaluations after the first."""
    records = [result.record for result in verdict.contest.results if result.record and result.metric]
    return [record for record in records if any(trained_s(record).values())]


def _of_time(timed: Sequence[Mapping[str, Any]]) -> str:
    """Return the definition of the training time on the x axis; empty without timed records."""
    if not timed:
        return ""
    text = " Time is pure training time, without evaluation, plotting and checkpoints."
    if any((record.get("pack") or {}).get("members", 1) > 1 for record in timed):
        text += " Runs trained as one pack are all assigned the time of the whole pack; compare them with care."
    if any("evaluations" not in record["time"] for record in timed):
        text += " Some records hold only the mean speed; their steps are assumed to take equal time."
    return text
