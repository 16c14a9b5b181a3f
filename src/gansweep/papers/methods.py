"""Cells of a sweep by method: final values over seeds, and training times."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from gansweep.papers.seeds import by_step, curve, spread
from gansweep.papers.trained import Trained, parted, rulers_of
from gansweep.plot_style import BLUE, GREEN, GREY, ORANGE, PINK, SKY, VERMILION, panels, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ORDER = ("none", "r1", "r2", "gp", "wgan_gp", "wgan_gp_1", "wgan_gp_5")
COLOURS = (GREY, BLUE, SKY, ORANGE, VERMILION, GREEN, PINK)


def by_method(cells: Sequence[Trained]) -> dict[str, list[Trained]]:
    """Return cells by the last part of the experiment name, for example r1 for mescheder_images/r1."""
    ordered = sorted(cells, key=lambda one: (_place(one.said("experiment")), one.seed))
    return parted(ordered, lambda one: one.said("experiment"))


def table(cells: Sequence[Trained]) -> str:
    """Return a table of final and best values, diverged seeds and training time, one row per method."""
    metric = next((one.metric["name"] for one in cells if one.metric), "result")
    second = next((one.record["metric_2"]["name"] for one in cells if one.record.get("metric_2")), None)
    head = ["method", f"final {metric}", "best on the way", *([f"final {second}"] if second else []), "N/A", "seconds"]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for method, group in by_method(cells).items():
        ended = [one for one in group if one.final is not None]
        parts = [method, spread([one.metric["final"] for one in ended]), spread([one.metric["best"] for one in ended])]
        if second:
            parts.append(spread([one.record["metric_2"]["final"] for one in ended]))
        parts.append(f"{len(group) - len(ended)} of {len(group)}")
        lines.append(f"| {' | '.join([*parts, spread([seconds(one) for one in ended])])} |")
    return "\n".join(lines)


def seconds(one: Trained) -> float:
    """Return the training time in seconds without evaluation; in a pack, that of the whole pack."""
    steps = one.record["steps"]
    found = one.seconds.get(steps)
    return steps / one.record["time"]["steps_per_s"] if found is None else found


def over_time(cells: Sequence[Trained]) -> Figure:
    """Draw the metric over training time and over steps: mean and range over seeds.

    A second metric is drawn below.
    """
    metrics = rulers_of(cells)
    with styled():
        figure, axes = panels(2 * len(metrics), 2, "", (4.2, 3.0 if len(metrics) == 1 else 2.6))
        for row, (key, metric) in enumerate(metrics.items()):
            pair = axes[2 * row : 2 * row + 2]
            for n, (method, group) in enumerate(by_method(cells).items()):
                colour = COLOURS[n % len(COLOURS)]
                found = by_step([one.measured(key) for one in group])
                times = [statistics.fmean(one.seconds[step] for one in group if step in one.seconds) for step in found]
                for axis, places in zip(pair, (times, list(found)), strict=True):
                    curve(axis, places, list(found.values()), colour, method)
            for axis, words in zip(pair, ("training time (s)", "step (generator updates)"), strict=True):
                axis.set(xlabel=words, ylabel=metric)
                axis.grid(alpha=0.25, linewidth=0.5)
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
        return figure


def _place(method: str) -> tuple[int, str]:
    return ORDER.index(method) if method in ORDER else len(ORDER), method


def groups_of(cells: Sequence[Trained]) -> Mapping[tuple[str, str, int], list[Trained]]:
    """Return cells grouped by data set, metric and number of steps."""
    return parted(cells, lambda one: (one.said("data"), str(one.metric.get("name", "nothing")), one.total_steps))
