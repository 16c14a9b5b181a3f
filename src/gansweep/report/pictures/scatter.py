"""Generated 2D points over data points, best configuration first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gansweep.plane import samples_picture, trained_cell
from gansweep.plot_style import panels, styled
from gansweep.report.pictures import marks
from gansweep.report.pictures.samples import MOST, sampled, title
from gansweep.report.pictures.samples import samples_picture as kept_pictures
from gansweep.report.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def points_picture(verdict: Verdict) -> Figure:
    """Draw the first twelve configurations over the logits of their discriminators, as `python -m gansweep.plane` does.

    A report does not load classes of other packages; sweeps with such classes show the sample images saved by the runs.
    """
    found = sampled(verdict)[:MOST]
    try:
        shown = [trained_cell.of(one.candidate.runs[one.seed].cell) for one in found]
    except ValueError:
        return kept_pictures(verdict)
    frames = {task: samples_picture.frame_of(alike) for task, alike in trained_cell.by(shown, trained_cell.task)}
    columns = marks.columns(len(found))
    with styled():
        figure, axes = panels(len(found), columns, "", (2.4, 2.8))
        ground = False
        for axis, sample, one in zip(axes, found, shown, strict=True):
            ground |= samples_picture.draw(axis, one, frames[trained_cell.task(one)])
            axis.set_title(title(verdict, sample), fontsize=7.5)
        figure.legend(handles=samples_picture.key(ground), loc="outside lower center", ncols=4 if columns > 2 else 1)
    return figure
