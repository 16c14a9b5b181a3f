"""Report section: generated 2D points over data points, best configuration first."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from gansweep.npz_file import read_array
from gansweep.plot_style import num_columns, panels, styled
from gansweep.report.pictures.samples import MOST, Sample, sampled, samples_picture, title
from gansweep.report.verdict import Verdict
from gansweep.section import Code, Paragraph, Picture, Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CAPTION = "Generated points over data points, best configuration first"


def section(verdict: Verdict) -> Section | None:
    """Return the section; None if samples are not 2D points or every run generates a single point."""
    if not in_plane(verdict) or not any(np.ptp(_points(sample), 0).any() for sample in sampled(verdict)):
        return None
    text = (
        "Each panel shows the last checkpoint of the run with the median value. A panel is 1.5 times as wide as the "
        "data and states the number of points outside; the contour of logit 0 has no meaning for critics of "
    )
    command = Code("python -m gansweep.plane")
    paragraph = Paragraph([text, Code("wgan*"), ". ", command, " draws every cell, and single cells over time."])
    return Section("Points", [paragraph, Picture(CAPTION, partial(points_picture, verdict))], needs_pictures=True)


def in_plane(verdict: Verdict) -> bool:
    """Return whether the shown runs saved 2D points."""
    shown = sampled(verdict)
    return bool(shown) and all(_points(sample).shape[1] == 2 for sample in shown)


def _points(sample: Sample) -> np.ndarray:
    """Return the saved points (N, D) of the last sample picture, or an empty (0, 0) array."""
    try:
        return read_array(sample.path.with_suffix(".npz"), "points")
    except (OSError, ValueError, KeyError):
        return np.empty((0, 0))


def points_picture(verdict: Verdict) -> Figure:
    """Draw the first twelve configurations over the logits of their discriminators, as `python -m gansweep.plane` does.

    A report does not load classes of other packages; sweeps with such classes show the sample images saved by the runs.
    """
    from gansweep.plane import pictures, trained_cell

    samples = sampled(verdict)[:MOST]
    try:
        cells = [trained_cell.of(sample.configuration.runs[sample.seed].cell) for sample in samples]
    except ValueError:
        return samples_picture(verdict)
    frames = pictures.frames(cells)
    columns = num_columns(len(samples))
    with styled():
        figure, axes = panels(len(samples), columns, "", (2.4, 2.8))
        shaded = False
        for axis, sample, cell in zip(axes, samples, cells, strict=True):
            shaded |= pictures.draw(axis, cell, frames[cell.task])
            axis.set_title(title(verdict, sample), fontsize=7.5)
        figure.legend(handles=pictures.keys(shaded), loc="outside lower center", ncols=4 if columns > 2 else 1)
    return figure
