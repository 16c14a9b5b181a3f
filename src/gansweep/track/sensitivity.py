"""Sensitivity of an entry to its learning rate, from its tuning runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from gansweep.plot_style import grid_lines, panels, styled
from gansweep.report import charts
from gansweep.section import Block, Chart, Entry, Paragraph, Picture, Section, Strong, Table
from gansweep.track.board import Board, Row, varied_keys
from gansweep.track.pictures import MOST_ROWS, ROW, SMALL, WIDTH, colour, label
from gansweep.track.tunability import first_runs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NEAR = 10.0  # rates within this factor of the best count in the share
GOOD = 2.0  # a rate is good if it needs at most this multiple of the steps of the best rate


@dataclass(frozen=True)
class Sensitivity:
    """Sensitivity of an entry.

    Args:
        row: the entry.
        rates: tried learning rates (N,), ascending.
        steps: steps to the target (N,); infinity where it is not reached.
    """

    row: Row
    rates: np.ndarray
    steps: np.ndarray

    @property
    def best(self) -> int:
        """Index of the rate with the fewest steps, the middle one of several."""
        fastest = np.flatnonzero(self.steps == self.steps.min())
        return int(fastest[len(fastest) // 2])

    @property
    def is_good(self) -> np.ndarray:
        """Mask (N,) of the rates that reach the target within `GOOD` times the steps of the best rate."""
        return np.isfinite(self.steps) & (self.steps <= GOOD * self.steps.min())

    @property
    def share(self) -> float:
        """Share of the tried rates within a factor `NEAR` of the best that reach the target; NaN if none does."""
        if not np.isfinite(self.steps).any():
            return math.nan
        near = np.abs(np.log(self.rates / self.rates[self.best])) <= math.log(NEAR) * (1 + 1e-12)
        return float(np.isfinite(self.steps[near]).mean())

    @property
    def region(self) -> tuple[float, float]:
        """Lowest and highest rate of the good rates around the best, NaN if there is none.

        It ends in the middle, on a logarithmic scale, between a good rate and the next that is not, and at the first
        and last tried rate.
        """
        good = self.is_good
        if not good.any():
            return math.nan, math.nan
        low = high = self.best
        while low > 0 and good[low - 1]:
            low -= 1
        while high < len(good) - 1 and good[high + 1]:
            high += 1
        ends = (low, max(low - 1, 0)), (high, min(high + 1, len(good) - 1))
        lowest, highest = (float(np.sqrt(self.rates[a] * self.rates[b])) for a, b in ends)
        return lowest, highest

    @property
    def width(self) -> float:
        """Width of the region in decades; 0 if no rate is good."""
        low, high = self.region
        return 0.0 if math.isnan(low) else math.log10(high / low)


def sensitivities(board: Board) -> list[Sensitivity]:
    """Return the sensitivity of every entry of which only `lr` was tuned, in the order of the leaderboard."""
    found = []
    for row in board.rows:
        if varied_keys(row.entry) != {"lr"}:
            continue
        runs = sorted(first_runs(board.track, row.entry), key=lambda run: float(run.overrides["lr"]))
        rates, steps = (
            np.array(values, dtype=float)
            for values in ([run.overrides["lr"] for run in runs], [run.steps_to_target for run in runs])
        )
        if len(runs) > 1:
            found.append(Sensitivity(row, rates, steps))
    return found


def section(boards: Sequence[Board]) -> Section | None:
    """Return the section; None if no entry has a good rate."""
    used = [board for board in boards if sensitivities(board)]
    if not any(one.width > 0 for board in used for one in sensitivities(board)):
        return None
    text = (
        f"From the tuning trainings of entries of which only the rate was tuned. A rate is good if it reaches the "
        f"target within {GOOD:g} times the steps of the best rate; the region is that of good rates around the best. "
        f"The share is that of the tried rates within a factor of {NEAR:g} of the best that reach the target at all."
    )
    blocks: list[Block] = [Paragraph(text)]
    for board in used:
        rows = [
            [
                Entry(one.row.entry.name, cell=board.cell(one.row)),
                Entry.of(f"{one.rates[one.best]:.3g}") if one.width else Entry("N/A"),
                Entry(" to ".join(f"{end:.2g}" for end in one.region) if one.width else "none"),
                Entry(f"{one.width:.1f}", one.width),
                Entry.of("N/A" if math.isnan(one.share) else f"{one.share:.0%}"),
                Entry(str(len(one.rates)), len(one.rates)),
            ]
            for one in sensitivities(board)
        ]
        head = ["entry", "best rate", "good rates", "decades", "share", "tried"]
        blocks += [Paragraph([Strong(board.track.name), ": sensitivity to the rate"]), Table(head, rows)]
    chart = Chart("lines", partial(_rate_lines, used))
    caption = "Good learning rates of every entry"
    return Section(
        "Sensitivity to the rate",
        [*blocks, Picture(caption, partial(picture, used), chart, name="track_sensitivity")],
    )


def _rate_lines(boards: Sequence[Board]) -> dict[str, Any]:
    """Return the steps to the target against the rate; those that do not reach it are left out."""
    panels = []
    for board in boards:
        lines = [
            charts.line(one.row.entry.name, one.rates.tolist(), one.steps.tolist()) | {"cell": board.cell(one.row)}
            for one in sensitivities(board)
            if one.width
        ]
        panels.append({"title": board.track.name, "lines": lines})
    return {"panels": panels, "x": "learning rate (lr)", "y": "steps to target", "log": False, "x_log": True}


def picture(boards: Sequence[Board]) -> Figure:
    """Draw the region of good learning rates of every entry, with the best rate, in the order of the leaderboard."""
    every = [(board, [one for one in sensitivities(board) if one.width > 0][:MOST_ROWS]) for board in boards]
    shown = [(board, found) for board, found in every if found]
    rows = max(len(found) for _, found in shown)
    with styled():
        figure, axes = panels(len(shown), len(shown), "", (WIDTH / len(shown), 0.7 + ROW * rows))
        for axis, (board, found) in zip(axes, shown, strict=True):
            for place, one in enumerate(found):
                color = colour(board, one.row)
                axis.plot(one.region, [place, place], color=color, linewidth=4, alpha=0.5, solid_capstyle="butt")
                axis.plot(one.rates[one.best], place, "o", color=color, markersize=3.5)
            rates = np.concatenate([one.rates for one in found])
            axis.set_xscale("log")
            axis.set_xlim(rates.min() / 1.3, rates.max() * 1.3)
            axis.set_ylim(rows - 0.4, -0.6)
            names = [label(one.row.entry.name) for one in found]
            axis.set_yticks(range(len(names)), names, fontsize=SMALL)
            axis.tick_params(axis="x", labelsize=SMALL)
            axis.tick_params(axis="y", length=0)
            axis.set_xlabel("learning rate (lr)", fontsize=SMALL)
            axis.set_title(board.track.name)
            grid_lines(axis)
    return figure
