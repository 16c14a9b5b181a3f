"""What the settings draw, the best first."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gansweep.formatting import number
from gansweep.plot_style import panels, styled
from gansweep.report.leaderboard import Candidate
from gansweep.report.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST, IN_A_ROW = 12, 4


@dataclass(frozen=True)
class Sample:
    """The last picture of one run of a setting.

    Args:
        candidate: the setting.
        rank: of it, from 1.
        seed: of the run: that of the median value, so that nobody is shown by the luckiest.
        value: of the run, NaN for N/A.
        path: of the PNG.
    """

    candidate: Candidate
    rank: int
    seed: str
    value: float
    path: Path

    @property
    def place(self) -> str:
        """The rank as a number, or that there is none."""
        return "No better than untrained:" if self.candidate.is_no_better_than_untrained else f"{self.rank}."

    @property
    def words(self) -> str:
        """The value, or that there is none."""
        return number(self.value) if math.isfinite(self.value) else "N/A"


def sampled(verdict: Verdict) -> list[Sample]:
    """Find the pictures, in the order of the ranks."""
    found = []
    for rank, place in enumerate(verdict.order, 1):
        one, seed = verdict.contest.candidates[place], median_run(verdict, place)
        pictures = sorted((one.runs[seed].cell.directory / "samples").glob("step_*.png"))
        if pictures:
            found.append(Sample(one, rank, seed, one.scores[seed], pictures[-1]))
    return found


def median_run(verdict: Verdict, place: int) -> str:
    """Return the seed of a candidate's run in the middle, the better one of two."""
    scores = verdict.scores[place]
    by_value = sorted(scores, key=lambda seed: scores[seed] if math.isfinite(scores[seed]) else math.inf)
    return by_value[(len(by_value) - 1) // 2]


def samples_picture(verdict: Verdict) -> Figure:
    """Draw the first twelve."""
    from matplotlib.image import imread

    found = sampled(verdict)[:MOST]
    with styled():
        figure, axes = panels(len(found), min(len(found), IN_A_ROW), "", (2.3, 2.62))
        for axis, one in zip(axes, found, strict=True):
            axis.imshow(imread(one.path), interpolation="nearest")
            axis.set_title(title(verdict, one), fontsize=7.5)
            axis.axis("off")
    return figure


def title(verdict: Verdict, one: Sample) -> str:
    """Say what a panel shows: rank, value, seed and settings."""
    seed = f" ({'/'.join(verdict.contest.repeated)} {one.seed})" if len(one.candidate.runs) > 1 else ""
    return f"{one.place} {verdict.contest.metric_name} {one.words}{seed}\n{wrapped(one.candidate.name)}"


def wrapped(text: str, width: int = 34) -> str:
    """Break a candidate's name into at most three lines."""
    lines: list[str] = []
    for part in text.split(", "):
        if lines and len(lines[-1]) + len(part) + 2 <= width:
            lines[-1] += f", {part}"
        else:
            lines.append(part)
    return "\n".join(line if len(line) <= width else line[: width - 1] + "…" for line in lines[:3])
