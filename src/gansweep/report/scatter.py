"""Report section: generated 2D points."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np

from gansweep.report.pictures.samples import Sample, sampled
from gansweep.report.verdict import Verdict
from gansweep.section import Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CAPTION = "Generated points over data points, best configuration first"


def section(verdict: Verdict) -> Section | None:
    """Return the section; None if samples are not 2D points or every run generates a single point."""
    if not in_plane(verdict) or not any(np.ptp(_points(one), 0).any() for one in sampled(verdict)):
        return None
    text = (
        "Each panel shows the last checkpoint of the run with the median value. A panel is 1.5 times as wide as the "
        "data and states the number of points outside; the contour of logit 0 has no meaning for critics of `wgan*`. "
        "`python -m gansweep.plane` draws every cell, and single cells over time."
    )
    return Section("Points", text, {CAPTION: lambda: _draw(verdict)}, text_is_about_pictures=True)


def in_plane(verdict: Verdict) -> bool:
    """Return whether the shown runs saved 2D points."""
    found = sampled(verdict)
    return bool(found) and all(_points(one).shape[1] == 2 for one in found)


def _points(one: Sample) -> np.ndarray:
    """Return the saved points (N, D) of the last sample picture, or an empty (0, 0) array."""
    try:
        with open(one.path.with_suffix(".npz"), "rb") as source, np.load(source) as file:
            return file["points"]
    except (OSError, ValueError, LookupError, EOFError, BadZipFile):
        return np.empty((0, 0))


def _draw(verdict: Verdict) -> Figure:
    from gansweep.report.pictures.scatter import points_picture

    return points_picture(verdict)
