"""Learning rate schedules of the runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gansweep.plot_style import panels, styled
from gansweep.report.pictures import marks
from gansweep.sweep.identity import plain
from gansweep.sweep.sweep_keys import value

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from gansweep.report.verdict import Verdict

CONSTANT = "gansweep.schedules.constant.Constant"
PLAYERS = (("schedule", "generator"), ("schedule_d", "discriminator"))


def curves(verdict: Verdict) -> dict[str, np.ndarray]:
    """Return the distinct schedules of both players by name: factors of the base rate (steps,)."""
    from gansweep.config.instantiate import Broken, Constructor

    nodes: dict[str, tuple[str, Any]] = {}
    for result in verdict.contest.results:
        config = result.cell.config
        steps = (result.record or {}).get("config", config).get("steps")
        for key, player in PLAYERS:
            node = config.get(key)
            if not isinstance(node, Mapping) or "_target_" not in node or not isinstance(steps, int):
                continue
            setting = plain(value(result.cell, key))
            name = setting if setting != "default" else str(node["_target_"]).rpartition(".")[2].lower()
            mark = json.dumps([node, steps], sort_keys=True)
            known = nodes.get(mark)
            if known is None or (player == "generator" and known[0] != name):
                label = name if key == "schedule" else f"{name} ({player})"
                nodes.setdefault(mark, (label, (node, steps)))
    found: dict[str, np.ndarray] = {}
    for name, (node, steps) in nodes.values():
        schedule = Constructor()(json.loads(json.dumps(node)), "schedule")
        if isinstance(schedule, Broken):
            continue  # classes of other packages are not loaded here
        label = name
        while label in found:
            label += "'"
        found[label] = np.asarray(schedule.values(steps), dtype=float)
    return found


def varies(verdict: Verdict) -> bool:
    """Return whether some run has a non-constant schedule, without constructing schedules."""
    nodes = [result.cell.config.get(key) for result in verdict.contest.results for key, _ in PLAYERS]
    return any(isinstance(node, Mapping) and node.get("_target_", CONSTANT) != CONSTANT for node in nodes)


def schedules_picture(verdict: Verdict) -> Figure:
    """Draw the factor of the base rate over training steps."""
    from matplotlib.lines import Line2D

    found = curves(verdict)
    with styled():
        figure, (axis,) = panels(1, 1, "", (5.6, 3.0))
        for n, rates in enumerate(found.values()):
            look: dict[str, Any] = {"color": marks.COLOURS[n % 6], "linestyle": line(n)}
            axis.plot(np.arange(len(rates) + 1), [*rates, rates[-1]], drawstyle="steps-post", linewidth=1.6, **look)
        axis.set(xlabel="step (generator updates)", ylabel="factor of the base rate")
        lows = [rates[rates > 0].min() for rates in found.values() if (rates > 0).any()]
        # The quantile keeps a cosine linear: it ends near 0 but is mostly far from it; see gansweep.schedules.curves.
        if any(np.quantile(r[r > 0], 0.25) < r.max() / 20 for r in found.values() if (r > 0).any()):
            axis.set_yscale("log", nonpositive="clip")
            axis.set_ylim(bottom=max(min(lows) / 1.5, 1e-4))
        else:
            axis.set_ylim(bottom=0)
        axis.set_xlim(0, max((len(rates) for rates in found.values()), default=1))
        marks.grid(axis)
        marks.legend(
            figure,
            [
                Line2D([], [], color=marks.COLOURS[n % 6], linestyle=line(n), lw=1.6, label=name)
                for n, name in enumerate(found)
            ],
        )
    return figure


def line(n: int) -> Any:
    """Return the line style of line n: with six colours, 24 combinations are distinct."""
    return marks.LINES[(n + n // 12) % 4]
