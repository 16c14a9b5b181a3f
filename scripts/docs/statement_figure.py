"""Figure of a statement: the estimates of its parts with intervals, or printed against measured values."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING, Any

from gansweep.papers.parts import Part, Point
from gansweep.papers.statement import OF_PARTS, Outcome, Verdict
from gansweep.plot_style import BLUE, COLOURS, GREY, MARKERS, ORANGE, VERMILION, grid_lines, key, legend, panels, styled
from gansweep.statistics.estimate import estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 7.2  # inches: 792 pixels
APART = 0.05  # least distance of two labels, as a share of the axis
LOOKS: dict[Verdict, dict[str, Any]] = {
    Verdict.SURVIVES: {"color": BLUE, "marker": "o", "markersize": 6},
    Verdict.FAILS: {"color": VERMILION, "marker": "X", "markersize": 7},
    Verdict.OPEN: {"color": GREY, "marker": "s", "markersize": 5, "markerfacecolor": "white"},
}
PRINTED: dict[str, Any] = {
    "color": ORANGE,
    "marker": "D",
    "markersize": 9,
    "markerfacecolor": "none",
    "markeredgewidth": 1.5,
    "linestyle": "",
}
STATED: dict[str, Any] = {"color": BLUE, "alpha": 0.1, "linewidth": 0}


def draw(outcome: Outcome) -> Figure:
    """Draw a statement with at least one part; the title contains the claim and the verdict."""
    points = len(outcome.parts) == 1 and bool(outcome.parts[0].points)
    height = 3.4 if points else 0.8 + 0.24 * len(outcome.parts)
    found = f"{outcome.verdict.value}{f', at {outcome.length}' if outcome.length else ''}"
    title = "\n".join(textwrap.wrap(f"{outcome.statement.claim}: {found}", 76))
    with styled():
        figure, (axis,) = panels(1, 1, title, (WIDTH, height))
        if points:
            _scatter(figure, axis, outcome.parts[0])
        else:
            _forest(figure, axis, outcome)
        return figure


def _forest(figure: Figure, axis: Axes, outcome: Outcome) -> None:
    """Draw one row per part: estimate, interval, printed value, and the stated side."""
    parts, rows = outcome.parts, range(len(outcome.parts))
    for row, part, verdict in zip(rows, parts, outcome.verdicts, strict=True):
        if not math.isnan(part.low):
            axis.plot([part.low, part.high], [row, row], color=LOOKS[verdict]["color"], linewidth=1.5)
        axis.plot([part.estimate], [row], linestyle="", **LOOKS[verdict])
        if part.printed is not None:
            axis.plot([part.printed], [row], **PRINTED, zorder=3)
    ends = [end for part in parts for end in part.claimed if math.isfinite(end)]
    axis.plot(ends, [0] * len(ends), linestyle="")  # extends the axis to the ends of the stated intervals
    low, high = axis.get_xlim()
    for row, part in zip(rows, parts, strict=True):
        stated = max(part.claimed[0], low), min(part.claimed[1], high)
        axis.fill_betweenx([row - 0.5, row + 0.5], *stated, **STATED)
    axis.set(xlim=(low, high), ylim=(len(parts) - 0.5, -0.5), xlabel=outcome.statement.axis)
    axis.set_yticks(list(rows), [part.label for part in parts])
    grid_lines(axis)
    keys = [
        key(OF_PARTS[verdict], linestyle="-", **LOOKS[verdict]) for verdict in Verdict if verdict in outcome.verdicts
    ]
    if any(part.printed is not None for part in parts):
        keys.append(key("printed, at full length" if outcome.length else "printed", **PRINTED))
    legend(figure, [*keys, key("region of the statement", **{**STATED, "linewidth": 7, "alpha": 0.25})])


def _scatter(figure: Figure, axis: Axes, part: Part) -> None:
    """Draw measured over printed values: mean and 95 % interval over seeds. Labels that would overlap are omitted."""
    means = [estimate(point.measured) for point in part.points]
    optimizers = list(dict.fromkeys(_optimizer(point) for point in part.points))
    labelled: list[tuple[float, float]] = []
    width = max(point.printed for point in part.points) - min(point.printed for point in part.points)
    height = max(mean.mean for mean in means) - min(mean.mean for mean in means)
    for point, mean in zip(part.points, means, strict=True):
        n = optimizers.index(_optimizer(point))
        if mean.n > 1:
            axis.plot([point.printed] * 2, [mean.low, mean.high], color=COLOURS[n], linewidth=1)
        axis.plot([point.printed], [mean.mean], MARKERS[n], color=COLOURS[n], markersize=5)
        place = point.printed / (width or 1.0), mean.mean / (height or 1.0)
        if all(math.dist(place, other) > APART for other in labelled):
            text = point.label.rpartition(" ")[2]
            axis.annotate(text, (point.printed, mean.mean), (5, 3), textcoords="offset points", fontsize=7)
            labelled.append(place)
    interval = "" if math.isnan(part.low) else f" [{part.low:.2f}, {part.high:.2f}]"
    axis.set(xlabel="printed", ylabel="measured", title=f"{part.label}: {part.estimate:.2f}{interval}")
    grid_lines(axis)
    names = enumerate(optimizers if any(optimizers) else [])
    legend(figure, [key(name, color=COLOURS[n], marker=MARKERS[n], linestyle="") for n, name in names])


def _optimizer(point: Point) -> str:
    return point.label.rpartition(" ")[0]
