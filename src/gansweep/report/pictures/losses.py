"""Losses of both players over training steps, read from the TensorBoard event files."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gansweep.plot_style import BLUE, VERMILION, grid_lines, key, legend, panels, styled, wrapped
from gansweep.report.plot_axes import Roles
from gansweep.report.verdict import Verdict
from gansweep.sweep.result import Result
from gansweep.training.events import event_files, losses

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PLAYERS = {"discriminator": BLUE, "generator": VERMILION}
MOST, IN_A_ROW = 6, 3


def losses_picture(verdict: Verdict) -> Figure:
    """Draw the losses of the best configuration of every method, run with the median value; at most six panels."""
    parts = shown_runs(verdict)
    players: set[str] = set()
    with styled():
        size = (3.5, 2.5) if len(parts) > 1 else (5.6, 3.2)
        figure, axes = panels(len(parts), min(len(parts), IN_A_ROW), "", size)
        for n, (axis, (title, result)) in enumerate(zip(axes, parts, strict=True)):
            for player, values in losses(result.cell.directory).items():
                finite = {step: value for step, value in values.items() if math.isfinite(value)}
                players.add(player)
                axis.plot(list(finite), list(finite.values()), color=PLAYERS[player], linewidth=1.2)
            axis.set(title=title, xlabel="step (generator updates)")
            if n % IN_A_ROW == 0:
                axis.set_ylabel("loss")
            axis.locator_params(axis="x", nbins=5)
            grid_lines(axis)
        legend(figure, [key(player, color=c, lw=1.6) for player, c in PLAYERS.items() if player in players])
    return figure


def shown_runs(verdict: Verdict) -> list[tuple[str, Result]]:
    """Return title and run of the best configuration of every method that has event files."""
    contest, roles = verdict.contest, Roles.of(verdict.contest)
    runs: dict[str, tuple[str, Result]] = {}
    for place in verdict.order:
        candidate = contest.candidates[place]
        method = roles.label(candidate.settings.get(roles.method or ""))
        run = candidate.runs[verdict.median_run(place)]
        if method not in runs and event_files(run.cell.directory):
            runs[method] = (wrapped(candidate.name), run)
    return list(runs.values())[:MOST]
