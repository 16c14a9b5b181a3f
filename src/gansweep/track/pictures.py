"""Figures of leaderboards and learning curves, and the looks that all figures of the tracks share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gansweep.formatting import metric_label
from gansweep.plot_style import (
    BLUE,
    GREY,
    VERMILION,
    grid_lines,
    is_wide,
    key,
    legend,
    line,
    log_values,
    look,
    panels,
    styled,
)
from gansweep.track.board import Board, Row

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH, ROW = 8.0, 0.165  # of a figure and of one of its rows, in inches
SMALL = 7  # points; legible where a figure of WIDTH is shown 800 pixels wide
MOST_ROWS, MOST_LINES = 30, 6
LABEL = 26  # letters


def leaderboards(boards: Sequence[Board]) -> Figure:
    """Draw the leaderboards side by side: median and interval of every entry, in the order of the score."""
    boards = [board for board in boards if board.rows]
    rows = max(min(len(board.rows), MOST_ROWS) for board in boards)
    with styled():
        figure, axes = panels(len(boards), len(boards), "", (WIDTH / len(boards), 0.7 + ROW * rows))
        for axis, board in zip(axes, boards, strict=True):
            _leaderboard(axis, board, rows)
        handles = [
            key("record: median, 95 % interval", color=VERMILION, marker="o", markersize=4, lw=1.4),
            key("tied with the record", color=BLUE, marker="o", markersize=4, lw=1.4),
            key("others", color=GREY, marker="o", markersize=4, lw=1.4),
            key("score", color=GREY, marker="|", markersize=7, lw=0),
        ]
        legend(figure, handles)
    return figure


def _leaderboard(axis: Any, board: Board, num_rows: int) -> None:
    rows, edge = board.rows[:MOST_ROWS], board.track.steps * 1.04
    for place, row in enumerate(rows):
        color = colour(board, row)
        low, high = (min(end, edge) for end in row.interval)
        axis.plot([low, high], [place, place], color=color, linewidth=1.4, solid_capstyle="butt")
        if math.isinf(row.interval[1]):
            axis.plot(edge, place, ">", color=color, markersize=3.5, clip_on=False)
        if math.isfinite(row.median):
            axis.plot(row.median, place, "o", color=color, markersize=3.5)
        if math.isfinite(row.score):
            axis.plot(row.score, place, "|", color=color, markersize=7)
    axis.set_ylim(num_rows - 0.4, -0.6)
    axis.set_yticks(range(len(rows)), [label(row.entry.name) for row in rows], fontsize=SMALL)
    for text, row in zip(axis.get_yticklabels(), rows, strict=True):
        text.set_color(colour(board, row) if row.is_tied else "black")
    axis.set_xlim(0, edge)
    axis.tick_params(axis="x", labelsize=SMALL)
    axis.tick_params(axis="y", length=0)
    axis.set_xlabel("steps to target", fontsize=SMALL)
    shown = f"{len(rows)} of {len(board.rows)}" if len(board.rows) > len(rows) else f"{len(rows)}"
    axis.set_title(f"{board.track.name}: {shown} entries")
    grid_lines(axis)


def colour(board: Board, row: Row) -> str:
    """Return the colour of a row: that of the record, of its ties, or of the others."""
    return VERMILION if row is board.record else BLUE if row.is_tied else GREY


def label(name: str) -> str:
    """Return a name of at most `LABEL` letters."""
    return name if len(name) <= LABEL else f"{name[: LABEL - 1]}…"


def learning_curves(board: Board) -> Figure:
    """Draw the median of the metric over the seeds of the fastest entries, against the step."""
    rows = board.rows[:MOST_LINES]
    with styled():
        figure, (axis,) = panels(1, 1, "", (5.6, 3.3))
        top = 0.0
        for place, row in enumerate(rows):
            steps, values = evaluations(row)
            finite = np.isfinite(values).all(axis=0)
            median = np.median(values[:, finite], axis=0)
            axis.plot(steps[finite], median, **line(place), linewidth=1.4)
            top = max(top, float(median[0]) if len(median) else 0.0)
        axis.axhline(board.track.target, color=GREY, linestyle="--", linewidth=1, zorder=0.5)
        if is_wide([board.track.target, top]):
            log_values(axis)
        axis.set(xlabel="step (generator updates)", ylabel=f"{metric_name(board)}, median of the seeds")
        grid_lines(axis)
        legend(figure, [key(label(row.entry.name), **look(n), markersize=0, lw=1.4) for n, row in enumerate(rows)])
    return figure


def evaluations(row: Row) -> tuple[np.ndarray, np.ndarray]:
    """Return the evaluated steps (n,) of an entry and the values (seeds, n), NaN where a seed has none."""
    runs = [row.entry.runs[seed] for seed in sorted(row.entry.runs)]
    steps = sorted({step for run in runs for step in run.values})
    values = [[math.nan if (value := run.values.get(step)) is None else value for step in steps] for run in runs]
    return np.array(steps), np.array(values, dtype=np.float64)


def metric_name(board: Board) -> str:
    """Return the name of a track's metric as texts and figures show it."""
    return metric_label(str(board.rows[0].entry.metric.get("name", "metric")))
