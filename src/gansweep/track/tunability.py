"""Tunability: expected best loss of an entry's tuning against the number of tuning trainings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from gansweep.plot_style import GREY, grid_lines, is_wide, line, log_values, panels, styled
from gansweep.report import charts
from gansweep.section import Block, Chart, Paragraph, Picture, Section, Strong, Table
from gansweep.section import Entry as Field
from gansweep.statistics.best_of_k import expected_best
from gansweep.track.board import Board, Row, number_entry
from gansweep.track.entry import Entry, TuningRun
from gansweep.track.pictures import MOST_LINES, SMALL, WIDTH, label
from gansweep.track.rule import counted_steps
from gansweep.track.track import Track

if TYPE_CHECKING:
    from matplotlib.figure import Figure


SHOWN = (1, 2, 4, 8, 15)  # numbers of tuning trainings in the table


@dataclass(frozen=True)
class Curve:
    """Tuning curve of an entry.

    Args:
        row: the entry.
        best: expected lowest loss (N,) of k of its N tried settings, k = 1 .. N, in steps to the target.
    """

    row: Row
    best: np.ndarray


def losses(track: Track, entry: Entry) -> list[float]:
    """Return the loss of every tried setting of an entry: steps to the target with the first tuning seed.

    As in the tuning protocol, a training that does not reach the target counts as twice the steps of the track. The
    trainings of the best settings with further seeds are left out, because they are not a random sample.
    """
    return counted_steps((run.steps_to_target for run in first_runs(track, entry)), track.steps)


def first_runs(track: Track, entry: Entry) -> list[TuningRun]:
    """Return the tuning runs of an entry with the first tuning seed, one for every tried setting."""
    runs = entry.tuning.runs if entry.tuning else []
    return [run for run in runs if run.seed == track.tuning_seeds[0]]


def curves(board: Board) -> list[Curve]:
    """Return the curves of all entries with several tried settings, in the order of the leaderboard."""
    found = [(row, losses(board.track, row.entry)) for row in board.rows]
    return [Curve(row, expected_best(values)[0]) for row, values in found if len(values) > 1]


def section(boards: Sequence[Board]) -> Section | None:
    """Return the section; None without tuning runs."""
    used = [board for board in boards if curves(board)]
    if not used:
        return None
    text = (
        "Expected steps to the target of the best of k tuning trainings, each of another setting drawn from the "
        "searched intervals (Dodge et al. 2019, without replacement); a training that does not reach the target counts "
        "as twice the length of a training."
    )
    largest = max(len(curve.best) for board in used for curve in curves(board))
    shown = [k for k in SHOWN if k <= largest]
    blocks: list[Block] = [Paragraph(text)]
    for board in used:
        rows = [
            [Field(curve.row.entry.name, cell=board.cell(curve.row)), *(_best(curve.best, k) for k in shown)]
            for curve in curves(board)
        ]
        blocks.append(Paragraph([Strong(board.track.name), ": expected best of k"]))
        blocks.append(Table(["entry", *(f"k={k}" for k in shown)], rows))
    chart = Chart("lines", partial(_tuning_lines, used))
    caption = "Expected best steps to the target against the number of tuning trainings"
    return Section("Tunability", [*blocks, Picture(caption, partial(picture, used), chart, name="track_tunability")])


def _best(values: Any, k: int) -> Field:
    return Field("-") if k > len(values) else number_entry(float(values[k - 1]))


def _tuning_lines(boards: Sequence[Board]) -> dict[str, Any]:
    panels = [
        {
            "title": board.track.name,
            "lines": [
                charts.line(curve.row.entry.name, range(1, len(curve.best) + 1), curve.best.tolist())
                | {"cell": board.cell(curve.row)}
                for curve in curves(board)
            ],
        }
        for board in boards
    ]
    return {"panels": panels, "x": "tuning trainings, k", "y": "expected best steps to target", "log": False}


def picture(boards: Sequence[Board]) -> Figure:
    """Draw the expected best loss against the number of tuning trainings; the fastest entries in colour."""
    boards = [board for board in boards if curves(board)]
    with styled():
        figure, axes = panels(len(boards), len(boards), "", (WIDTH / len(boards), 2.6))
        for axis, board in zip(axes, boards, strict=True):
            for place, curve in reversed(list(enumerate(curves(board)))):
                k = np.arange(1, len(curve.best) + 1)
                if place < MOST_LINES:
                    axis.plot(k, curve.best, **line(place), linewidth=1.5, label=label(curve.row.entry.name))
                else:
                    axis.plot(k, curve.best, color=GREY, alpha=0.35, linewidth=0.7)
            if is_wide([float(value) for curve in curves(board) for value in curve.best]):
                log_values(axis)
            handles, names = axis.get_legend_handles_labels()
            axis.legend(
                handles[::-1], names[::-1], fontsize=SMALL - 1, loc="upper right", frameon=True, edgecolor="none"
            )
            axis.set_title(board.track.name)
            axis.set_xlabel("tuning trainings, k")
            grid_lines(axis)
        axes[0].set_ylabel("expected best steps to target")
    return figure
