"""Trainings on points in the plane."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np

from gansweep.report.pictures.samples import Sample, sampled
from gansweep.report.verdict import Verdict
from gansweep.section import Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CAPTION = "Generated points over those of the data, the best setting first"


def section(verdict: Verdict) -> Section | None:
    """Offer the picture of the points, None where samples are something else, or of nobody more than one point."""
    if not in_plane(verdict) or not any(np.ptp(_points(one), 0).any() for one in sampled(verdict)):
        return None
    text = (
        "Each panel is a setting's run of the median value, as of its last checkpoint. A panel is half as wide again "
        "as the data, and says how many points lie outside; for critics of `wgan*` the line of logit 0 has no meaning. "
        "`python -m gansweep.plane` draws every cell, and single ones over time."
    )
    return Section("Points", text, {CAPTION: lambda: _draw(verdict)})


def in_plane(verdict: Verdict) -> bool:
    """Tell whether the runs that would be shown kept points in the plane."""
    found = sampled(verdict)
    return bool(found) and all(_points(one).shape[1] == 2 for one in found)


def _points(one: Sample) -> np.ndarray:
    """Return the points (N, D) that were kept beside the last picture, (0, 0) without any."""
    try:
        with open(one.path.with_suffix(".npz"), "rb") as source, np.load(source) as file:
            return file["points"]
    except (OSError, ValueError, LookupError, EOFError, BadZipFile):
        return np.empty((0, 0))


def _draw(verdict: Verdict) -> Figure:
    from gansweep.report.pictures.scatter import points_picture

    return points_picture(verdict)
