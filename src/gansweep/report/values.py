"""Report section: figures of the metric against the settings, the steps and the time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from gansweep.report.pictures.curves import curves_picture, metrics
from gansweep.report.pictures.losses import losses_picture, shown_runs
from gansweep.report.pictures.rates import heat_picture, rates_picture
from gansweep.report.pictures.schedules import schedules_picture, varies
from gansweep.report.plot_axes import MOST_PANELS, Roles
from gansweep.report.verdict import Verdict
from gansweep.section import Paragraph, Picture, Section
from gansweep.training.record import trained_s


def section(verdict: Verdict) -> Section | None:
    """Return the section with all applicable figures; None if no run has a value."""
    if not any(one.estimate.n for one in verdict.contest.candidates):
        return None
    timed, num_omitted = _timed(verdict), _num_omitted(Roles.of(verdict.contest))
    text = "The figures show all finished runs."
    if num_omitted:
        text += f" Figures show the first {MOST_PANELS} panels; the other {num_omitted} combinations are in the table."
    paragraph = Paragraph(text + _about_time(timed))
    return Section("Values", [paragraph, *_pictures(verdict, bool(timed))], needs_pictures=True)


def _pictures(verdict: Verdict, timed: bool) -> list[Picture]:
    contest, roles = verdict.contest, Roles.of(verdict.contest)
    name = f"{contest.how.capitalize()} {contest.metric_name}"
    pictures = []
    if len(roles.rates) > 1:
        caption = f"{name} against {roles.rate}: means, 95 % intervals and N/A runs"
        pictures.append(Picture(caption, partial(rates_picture, verdict)))
        if len(roles.methods) > 1:
            caption = f"{name} by {roles.method} and {roles.rate}; hatched: every run is N/A"
            pictures.append(Picture(caption, partial(heat_picture, verdict)))
    repeated = any(len(one.scores) > 1 for one in contest.candidates)
    seeds = ": mean over seeds, band from minimum to maximum" if repeated else ""
    for field, metric in metrics(contest).items():
        for axis, over_time in {"steps": False, "training time": True}.items():
            if timed or not over_time:
                caption = f"{metric.get('name', 'result')} over the {axis}{seeds}"
                pictures.append(Picture(caption, partial(curves_picture, verdict, field, over_time)))
    if shown_runs(verdict):
        caption = "Losses of the best configuration of each method, run with the median value"
        pictures.append(Picture(caption, partial(losses_picture, verdict)))
    if varies(verdict):
        caption = "Learning rate schedules, as factors of the base rate"
        pictures.append(Picture(caption, partial(schedules_picture, verdict)))
    return pictures


def _num_omitted(roles: Roles) -> int:
    combinations = {tuple(str(one.settings[key]) for key in roles.rest) for one in roles.contest.candidates}
    return max(0, len(combinations) - MOST_PANELS)


def _timed(verdict: Verdict) -> list[Mapping[str, Any]]:
    """Return the records with a training time for evaluations after the first."""
    records = [result.record for result in verdict.contest.results if result.record and result.metric]
    return [record for record in records if any(trained_s(record).values())]


def _about_time(timed: Sequence[Mapping[str, Any]]) -> str:
    """Return the definition of the training time on the x axis; empty without timed records."""
    if not timed:
        return ""
    text = " Time is pure training time, without evaluation, plotting and checkpoints."
    if any((record.get("pack") or {}).get("members", 1) > 1 for record in timed):
        text += " Runs trained as one pack are all assigned the time of the whole pack; compare them with care."
    if any("evaluations" not in record["time"] for record in timed):
        text += " Some records hold only the mean speed; their steps are assumed to take equal time."
    return text
