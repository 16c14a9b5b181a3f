"""Losses of both players over training steps, read from the TensorBoard event files."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from gansweep.plot_style import BLUE, VERMILION, panels, styled
from gansweep.report.pictures import marks
from gansweep.report.pictures.samples import median_run, wrapped
from gansweep.report.plot_axes import Roles
from gansweep.report.verdict import Verdict
from gansweep.sweep.result import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PLAYERS = {"discriminator": BLUE, "generator": VERMILION}
MOST, IN_A_ROW = 6, 3

Curves = dict[str, list[tuple[int, float]]]


def losses_picture(verdict: Verdict) -> Figure:
    """Draw the losses of the best configuration of every method, run with the median value; at most six panels."""
    from matplotlib.lines import Line2D

    parts = watched(verdict)
    players: set[str] = set()
    with styled():
        figure, axes = panels(len(parts), min(len(parts), IN_A_ROW), "", (3.5, 2.5) if len(parts) > 1 else (5.6, 3.2))
        for n, (axis, (title, result)) in enumerate(zip(axes, parts, strict=True)):
            for player, points in read(result.cell.directory).items():
                known = [(step, value) for step, value in points if math.isfinite(value)]
                players.add(player)
                axis.plot([step for step, _ in known], [v for _, v in known], color=PLAYERS[player], linewidth=1.2)
            axis.set(title=title, xlabel="step (generator updates)")
            if n % IN_A_ROW == 0:
                axis.set_ylabel("loss")
            axis.locator_params(axis="x", nbins=5)
            marks.grid(axis)
        marks.legend(figure, [Line2D([], [], color=c, lw=1.6, label=p) for p, c in PLAYERS.items() if p in players])
    return figure


def watched(verdict: Verdict) -> list[tuple[str, Result]]:
    """Return title and run of the best configuration of every method that has event files."""
    contest, roles = verdict.contest, Roles.of(verdict.contest)
    runs: dict[str, tuple[str, Result]] = {}
    for place in verdict.order:
        one = contest.candidates[place]
        method = roles.label(one.settings.get(roles.method or ""))
        run = one.runs[median_run(verdict, place)]
        if method not in runs and _events(run.cell.directory):
            runs[method] = (wrapped(one.name), run)
    return list(runs.values())[:MOST]


def read(directory: Path) -> Curves:
    """Return the losses from the event files of a run; a truncated last event is ignored."""
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    from tensorboard.util.tensor_util import make_ndarray

    curves: Curves = {}
    for path in _events(directory):
        for event in EventFileLoader(str(path)).Load():
            for value in event.summary.value:
                tag = value.tag.lower()
                player = next((name for name in PLAYERS if tag.startswith("loss") and name in tag), None)
                if player is not None and value.HasField("tensor"):
                    curves.setdefault(player, []).append((event.step, float(make_ndarray(value.tensor))))
    return {player: sorted(dict(points).items()) for player, points in curves.items()}


def _events(directory: Path) -> list[Path]:
    return sorted(directory.glob("events.out.tfevents.*"))
