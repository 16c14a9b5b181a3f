"""Cells of a sweep by method: how each ends, over seeds, and how long that takes."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gansweep.figures import BLUE, GREEN, GREY, ORANGE, PINK, SKY, VERMILION, panels, styled
from gansweep.papers.trained import Trained
from gansweep.sweep.table import number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ORDER = ("none", "r1", "r2", "gp", "wgan_gp", "wgan_gp_1", "wgan_gp_5")
COLOURS = (GREY, BLUE, SKY, ORANGE, VERMILION, GREEN, PINK)


def by_method(cells: Sequence[Trained]) -> dict[str, list[Trained]]:
    """Sort cells by the last part of their experiment's name, mescheder_images/r1 being r1."""
    found: dict[str, list[Trained]] = {}
    for one in sorted(cells, key=lambda one: (_place(one.said("experiment")), one.seed)):
        found.setdefault(one.said("experiment"), []).append(one)
    return found


def spread(values: Sequence[float]) -> str:
    """Write mean and standard deviation, or the one value."""
    if not values:
        return "N/A"
    mean = statistics.fmean(values)
    if len(values) == 1:
        return number(mean)
    return f"{number(mean)} ± {number(statistics.stdev(values), like=mean)}"


def table(cells: Sequence[Trained]) -> str:
    """Tabulate final and best values, diverged seeds and seconds of training, a row for every method."""
    ruler = next((one.metric["name"] for one in cells if one.metric), "result")
    second = next((one.record["metric_2"]["name"] for one in cells if one.record.get("metric_2")), None)
    head = ["method", f"final {ruler}", "best on the way", *([f"final {second}"] if second else []), "N/A", "seconds"]
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
    """Return how long it trained without what was measured; in a pack all members have the pack's time."""
    steps = one.record["steps"]
    found = one.seconds.get(steps)
    return steps / one.record["time"]["steps_per_s"] if found is None else found


def over_time(cells: Sequence[Trained]) -> Figure:
    """Draw the metric over seconds of training and over steps: means of the seeds, and their range.

    Below it the second metric, where there is one.
    """
    rulers = rulers_of(cells)
    with styled():
        figure, axes = panels(2 * len(rulers), 2, "", (4.2, 3.0 if len(rulers) == 1 else 2.6))
        for row, (key, ruler) in enumerate(rulers.items()):
            pair = axes[2 * row : 2 * row + 2]
            for n, (method, group) in enumerate(by_method(cells).items()):
                colour = COLOURS[n % len(COLOURS)]
                steps, columns = _common([one.measured(key) for one in group])
                times = [statistics.fmean(one.seconds[step] for one in group if step in one.seconds) for step in steps]
                for axis, places in zip(pair, (times, steps), strict=True):
                    _draw(axis, places, columns, colour, method)
            for axis, words in zip(pair, ("seconds of training", "step (generator updates)"), strict=True):
                axis.set(xlabel=words, ylabel=ruler)
                axis.grid(alpha=0.25, linewidth=0.5)
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
        return figure


def rulers_of(cells: Sequence[Trained]) -> dict[str, str]:
    """Name what was measured by the key of its values in an evaluation, `value` and maybe `value_2`."""
    found = {}
    for key, metric in (("value", "metric"), ("value_2", "metric_2")):
        name = next((one.record[metric]["name"] for one in cells if one.record.get(metric)), None)
        if name is not None:
            found[key] = name
    return found or {"value": ""}


def _common(values: Sequence[Mapping[int, float]]) -> tuple[list[int], list[list[float]]]:
    """Return the steps that a seed has a value of, and the seeds' values there."""
    steps = sorted({step for one in values for step in one})
    return steps, [[one[step] for one in values if step in one] for step in steps]


def _draw(axis: Any, places: Sequence[float], columns: Sequence[Sequence[float]], colour: str, label: str) -> None:
    axis.plot(places, [statistics.fmean(c) for c in columns], color=colour, lw=1.2, marker=".", ms=3, label=label)
    if any(len(column) > 1 for column in columns):
        axis.fill_between(places, [min(c) for c in columns], [max(c) for c in columns], color=colour, alpha=0.15, lw=0)


def _place(method: str) -> tuple[int, str]:
    return ORDER.index(method) if method in ORDER else len(ORDER), method


def groups_of(cells: Sequence[Trained]) -> Mapping[tuple[str, str, int], list[Trained]]:
    """Part cells of other data, metrics and lengths."""
    found: dict[tuple[str, str, int], list[Trained]] = {}
    for one in cells:
        found.setdefault((one.said("data"), str(one.metric.get("name", "nothing")), one.total_steps), []).append(one)
    return found
