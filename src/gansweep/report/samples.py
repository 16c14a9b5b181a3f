"""Samples of the configurations, best first: images, and the report section of 2D points over data points."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gansweep.formatting import number
from gansweep.npz_file import read_array
from gansweep.plot_style import num_columns, panels, styled, wrapped
from gansweep.report.verdict import Verdict
from gansweep.results.configuration import Configuration
from gansweep.section import Code, Paragraph, Picture, Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_SHOWN, IN_A_ROW = 12, 4
CAPTION = "Generated points over data points, best configuration first"


@dataclass(frozen=True)
class Sample:
    """The last sample image of one run of a configuration.

    Args:
        configuration: the configuration.
        rank: rank of the configuration, from 1.
        seed: seed of the run with the median value, so that the choice is not biased towards good runs.
        value: value of the run, NaN for N/A.
        path: path of the PNG file.
    """

    configuration: Configuration
    rank: int
    seed: str
    value: float
    path: Path

    @property
    def place(self) -> str:
        """The rank, or a note that the configuration is not ranked."""
        return "No better than untrained:" if self.configuration.is_no_better_than_untrained else f"{self.rank}."

    @property
    def words(self) -> str:
        """The formatted value, or N/A."""
        return number(self.value) if math.isfinite(self.value) else "N/A"


def sampled(verdict: Verdict) -> list[Sample]:
    """Return the last sample image of each configuration that has one, in ranking order."""
    samples = []
    for rank, place in enumerate(verdict.order, 1):
        configuration, seed = verdict.leaderboard.configurations[place], verdict.median_run(place)
        images = sorted((configuration.runs[seed].cell.directory / "samples").glob("step_*.png"))
        if images:
            samples.append(Sample(configuration, rank, seed, configuration.scores[seed], images[-1]))
    return samples


def samples_picture(verdict: Verdict) -> Figure:
    """Draw the sample images of the first twelve configurations."""
    from matplotlib.image import imread

    samples = sampled(verdict)[:MAX_SHOWN]
    with styled():
        figure, axes = panels(len(samples), min(len(samples), IN_A_ROW), "", (2.3, 2.62))
        for axis, sample in zip(axes, samples, strict=True):
            axis.imshow(imread(sample.path), interpolation="nearest")
            axis.set_title(title(verdict, sample), fontsize=7.5)
            axis.axis("off")
    return figure


def title(verdict: Verdict, sample: Sample) -> str:
    """Return the title of a panel: rank, value, seed and settings."""
    seed = f" ({'/'.join(verdict.leaderboard.repeated)} {sample.seed})" if len(sample.configuration.runs) > 1 else ""
    value = f"{verdict.leaderboard.metric_label} {sample.words}{seed}"
    if sample.configuration.is_no_better_than_untrained:
        value = f"{value}\nno better than untrained"
    else:
        value = f"{sample.place} {value}"
    return f"{value}\n{wrapped(sample.configuration.name)}"


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
    return Section(
        "Points", [paragraph, Picture(CAPTION, partial(points_picture, verdict), name="points")], needs_pictures=True
    )


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

    samples = sampled(verdict)[:MAX_SHOWN]
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
