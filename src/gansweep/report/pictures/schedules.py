"""Learning rate schedules of the runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gansweep.plot_style import COLOURS, LINES, grid_lines, key, legend, panels, styled
from gansweep.report.verdict import Verdict
from gansweep.sweep.identity import plain
from gansweep.sweep.sweep_keys import value

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CONSTANT = "gansweep.schedules.constant.Constant"
PLAYERS = {"schedule": "generator", "schedule_d": "discriminator"}


def curves(verdict: Verdict) -> dict[str, np.ndarray]:
    """Return the distinct schedules of both players by name: factors of the base rate (steps,)."""
    from gansweep.config.instantiate import Broken, Constructor

    distinct: dict[str, tuple[str, Any, int]] = {}  # by content: name, node, steps
    for result in verdict.contest.results:
        config = result.cell.config
        steps = (result.record or {}).get("config", config).get("steps")
        for setting, player in PLAYERS.items():
            node = config.get(setting)
            if not isinstance(node, Mapping) or "_target_" not in node or not isinstance(steps, int):
                continue
            chosen = plain(value(result.cell, setting))
            name = chosen if chosen != "default" else str(node["_target_"]).rpartition(".")[2].lower()
            label = name if setting == "schedule" else f"{name} ({player})"
            distinct.setdefault(json.dumps([node, steps], sort_keys=True), (label, node, steps))
    found: dict[str, np.ndarray] = {}
    for label, node, steps in distinct.values():
        schedule = Constructor()(json.loads(json.dumps(node)), "schedule")
        if isinstance(schedule, Broken):
            continue  # classes of other packages are not loaded here
        while label in found:
            label += "'"
        found[label] = np.asarray(schedule.values(steps), dtype=float)
    return found


def varies(verdict: Verdict) -> bool:
    """Return whether some run has a non-constant schedule, without constructing schedules."""
    nodes = [result.cell.config.get(setting) for result in verdict.contest.results for setting in PLAYERS]
    return any(isinstance(node, Mapping) and node.get("_target_", CONSTANT) != CONSTANT for node in nodes)


def schedules_picture(verdict: Verdict) -> Figure:
    """Draw the factor of the base rate over training steps."""
    found = curves(verdict)
    looks: list[dict[str, Any]] = [{"color": COLOURS[n % 6], "linestyle": line_style(n)} for n in range(len(found))]
    with styled():
        figure, (axis,) = panels(1, 1, "", (5.6, 3.0))
        for rates, style in zip(found.values(), looks, strict=True):
            steps = np.arange(len(rates) + 1)
            axis.plot(steps, [*rates, rates[-1]], drawstyle="steps-post", linewidth=1.6, **style)
        axis.set(xlabel="step (generator updates)", ylabel="factor of the base rate")
        positive = [rates[rates > 0] for rates in found.values() if (rates > 0).any()]
        # The quantile keeps a cosine linear: it ends near 0 but is mostly far from it; see gansweep.schedules.curves.
        if any(np.quantile(rates, 0.25) < rates.max() / 20 for rates in positive):
            axis.set_yscale("log", nonpositive="clip")
            axis.set_ylim(bottom=max(min(rates.min() for rates in positive) / 1.5, 1e-4))
        else:
            axis.set_ylim(bottom=0)
        axis.set_xlim(0, max((len(rates) for rates in found.values()), default=1))
        grid_lines(axis)
        legend(figure, [key(name, **style, lw=1.6) for name, style in zip(found, looks, strict=True)])
    return figure


def line_style(n: int) -> str:
    """Return the line style of line n: with six colours, 24 combinations are distinct."""
    return LINES[(n + n // 12) % 4]
