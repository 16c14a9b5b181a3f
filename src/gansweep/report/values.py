"""The values as pictures."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from gansweep.report.pictures.curves import curves_picture
from gansweep.report.pictures.heat import heat_picture
from gansweep.report.pictures.losses import losses_picture, watched
from gansweep.report.pictures.rates import rates_picture
from gansweep.report.pictures.schedules import schedules_picture, varies
from gansweep.report.roles import MOST_PANELS, Roles
from gansweep.report.verdict import Verdict
from gansweep.section import Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def section(verdict: Verdict) -> Section | None:
    """Offer the pictures that there is something to draw in, None without any."""
    roles = Roles.of(verdict.contest)
    if verdict.first is None:
        return None
    pictures: dict[str, Callable[[Verdict], Figure]] = {}
    name, how = verdict.contest.metric_name, verdict.contest.how.capitalize()
    if len(roles.rates) > 1:
        pictures[f"{how} {name} against {roles.rate}: means, 95 % intervals, and what is N/A"] = rates_picture
        if len(roles.methods) > 1:
            pictures[f"{how} {name} by {roles.method} and {roles.rate}; hatched: every run is N/A"] = heat_picture
    pictures[f"{name} over the steps: mean over seeds, from the least to the greatest"] = curves_picture
    if watched(verdict):
        pictures["Losses of the best setting of each method, the run of the median value"] = losses_picture
    if varies(verdict):
        pictures["Schedules, as factors of the base rate"] = schedules_picture
    left = _left_out(roles)
    few = f" Pictures show the first {MOST_PANELS} panels; {left} more combinations are in the table." if left else ""
    drawn = {caption: partial(draw, verdict) for caption, draw in pictures.items()}
    return Section("Values", f"Each picture is drawn of all runs that have ended.{few}", drawn)


def _left_out(roles: Roles) -> int:
    combinations = {tuple(str(one.settings[key]) for key in roles.rest) for one in roles.contest.candidates}
    return max(0, len(combinations) - MOST_PANELS)
