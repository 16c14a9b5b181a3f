"""Sample images of the configurations, best first."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gansweep.formatting import number
from gansweep.plot_style import panels, styled, wrapped
from gansweep.report.verdict import Verdict
from gansweep.results.leaderboard import Configuration

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST, IN_A_ROW = 12, 4


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

    samples = sampled(verdict)[:MOST]
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
    value = f"{verdict.leaderboard.metric_name} {sample.words}{seed}"
    if sample.configuration.is_no_better_than_untrained:
        value = f"{value}\nno better than untrained"
    else:
        value = f"{sample.place} {value}"
    return f"{value}\n{wrapped(sample.configuration.name)}"
