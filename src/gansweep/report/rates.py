"""Metric against learning rate: lines with intervals, and a heat map."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gansweep.formatting import significant
from gansweep.plot_curves import draw_references, reference_keys
from gansweep.plot_style import (
    COLOURS,
    GREY,
    VERMILION,
    decimal,
    grid_lines,
    is_wide,
    key,
    legend,
    look,
    name_ticks,
    panel_title,
    panels,
    scale_rates,
    scale_values,
    styled,
)
from gansweep.report.plot_axes import PlotAxes
from gansweep.report.verdict import Verdict
from gansweep.results.configuration import Configuration

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZE, SIZE_OF_SEVERAL = (5.6, 3.6), (4.2, 3.2)
STRIP = 0.055  # height of one row of crosses, as a fraction of the axis
STEP = 0.025  # between the methods of one rate, as a fraction of the range of the rates
SHIFT = 0.5  # of the dots of the seeds, as a fraction of the distance between two methods
SEED = {"marker": "o", "markersize": 2.6, "linestyle": "", "alpha": 0.6, "markeredgewidth": 0}


def rates_picture(verdict: Verdict) -> Figure:
    """Draw means with 95 % intervals, every seed as a dot, and crosses at the top for N/A runs."""
    leaderboard, layout = verdict.leaderboard, PlotAxes.of(verdict.leaderboard)
    assert layout.rate is not None
    parts, ends = layout.panels(), leaderboard.ends
    values = [
        v for configuration in leaderboard.configurations for v in configuration.scores.values() if math.isfinite(v)
    ]
    with styled():
        size = SIZE if len(parts) == 1 else SIZE_OF_SEVERAL
        figure, axes = panels(len(parts), min(len(parts), 3), "", size)
        lines: dict[str, float] = {}
        is_cut = False
        for axis, (title, configurations) in zip(axes, parts, strict=True):
            lost: list[tuple[Configuration, int]] = []
            scale_rates(axis, layout.rates, layout.rate)
            for place, method in enumerate(layout.methods):
                group = layout.with_method(configurations, method)
                _draw_method(axis, layout, group, place)
                lost += [(configuration, place) for configuration in group if configuration.estimate.num_na]
            scale_values(axis, values)
            lines = draw_references(axis, *ends, values)
            grid_lines(axis)
            axis.set(title=panel_title(title, size[0]), ylabel=f"{leaderboard.how} {leaderboard.metric_label}")
            _limits(axis, [*values, *lines.values()], len({place for _, place in lost}))
            _crosses(axis, layout, lost)
            is_cut |= _arrows(axis, layout, configurations)
        keys = _keys(layout, [configuration for _, part in parts for configuration in part], is_cut)
        legend(figure, [*keys, *reference_keys(lines, *ends)])
    return figure


def _keys(layout: PlotAxes, configurations: Sequence[Configuration], is_cut: bool) -> list[Any]:
    """Return the legend entries of the methods and of the marks that occur."""
    keys = [key(layout.label(m), **look(n), markersize=4, linewidth=1.4) for n, m in enumerate(layout.methods)]
    keys = keys if layout.method else []
    keys.append(key("mean, 95 % interval", color=GREY, marker="|", markersize=9, linestyle=""))
    if any(configuration.estimate.n > 1 for configuration in configurations):
        keys.append(key("one seed", color=GREY, **SEED))
    if is_cut:
        keys.append(key("interval beyond the axis", color=GREY, marker="^", markersize=5, linestyle=""))
    if any(configuration.estimate.num_na and configuration.estimate.n for configuration in configurations):
        keys.append(key("some seeds N/A", color=GREY, marker="o", markersize=4, mfc="white", linestyle=""))
    if any(configuration.estimate.num_na for configuration in configurations):
        keys.append(key("N/A: all seeds, or n of N", color=GREY, marker="x", markersize=5, linestyle=""))
    return keys


def _draw_method(axis: Any, layout: PlotAxes, configurations: Sequence[Configuration], place: int) -> None:
    style, colour = look(place), look(place)["color"]
    # The line is interrupted at a rate without any value.
    heights = [
        configuration.estimate.mean if configuration.estimate.n else math.nan for configuration in configurations
    ]
    rates = [_x(axis, layout, layout.rate_of(configuration), place) for configuration in configurations]
    axis.plot(rates, heights, color=colour, linestyle=style["linestyle"], lw=1.4)
    # One line for all intervals, one for all seeds, ...: the time of a figure is that of its lines.
    ends: list[tuple[float, float]] = []
    seeds: list[tuple[float, float]] = []
    means: dict[str, list[tuple[float, float]]] = {"white": [], colour: []}
    for x, configuration in zip(rates, configurations, strict=True):
        estimate = configuration.estimate
        if not estimate.n:
            continue
        if math.isfinite(estimate.low):
            ends += [(x, estimate.low), (x, estimate.high), (math.nan, math.nan)]
        if estimate.n > 1:
            beside = _x(axis, layout, layout.rate_of(configuration), place + SHIFT)
            seeds += [(beside, value) for value in configuration.values]
        means["white" if estimate.num_na else colour].append((x, estimate.mean))
    axis.plot(*_columns(ends), color=colour, linewidth=1, alpha=0.8)
    axis.plot(*_columns(seeds), color=colour, **SEED)
    for inside, points in means.items():
        axis.plot(*_columns(points), style["marker"], color=colour, markersize=4.5, mfc=inside)


def _columns(points: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [x for x, _ in points], [y for _, y in points]


def _x(axis: Any, layout: PlotAxes, rate: float, place: float) -> float:
    """Return the x of method number `place`: the methods of one rate are drawn side by side."""
    scale = axis.xaxis.get_transform()
    rates = scale.transform(np.array(layout.rates))
    step = min(STEP * np.ptp(rates), 0.5 * np.diff(rates).min() / len(layout.methods))
    x = scale.transform(np.array([rate])) + (place - (len(layout.methods) - 1) / 2) * step
    return float(scale.inverted().transform(x)[0])


def _arrows(axis: Any, layout: PlotAxes, configurations: Sequence[Configuration]) -> bool:
    """Mark the intervals that leave the axis by an arrow at its edge; return whether there are any."""
    bottom, top = axis.get_ylim()
    is_cut = False
    for place, method in enumerate(layout.methods):
        for configuration in layout.with_method(configurations, method):
            x, estimate = _x(axis, layout, layout.rate_of(configuration), place), configuration.estimate
            for edge, marker, outside in ((bottom, "v", estimate.low < bottom), (top, "^", estimate.high > top)):
                if outside:
                    axis.plot(x, edge, marker, color=look(place)["color"], markersize=5, clip_on=False, zorder=5)
                    is_cut = True
    return is_cut


def _limits(axis: Any, values: Sequence[float], rows: int) -> None:
    """Set y limits with room for the crosses above the data; a wide interval of few seeds may be cut off."""
    if not values:
        axis.set_yticks([])
        return
    to_axis = axis.transScale.transform
    low, high = (to_axis((1, value))[1] for value in (min(values), max(values)))
    pad = 0.06 * (high - low) or abs(high) * 0.05 or 1.0
    top = (high + pad - (low - pad)) / (1 - STRIP * rows - (0.02 if rows else 0)) + low - pad
    axis.set_ylim(*(axis.transScale.inverted().transform((0, y))[1] for y in (low - pad, top)))


def _crosses(axis: Any, layout: PlotAxes, lost: Sequence[tuple[Configuration, int]]) -> None:
    """Draw a cross for every configuration with N/A runs, in one row per method."""
    across = axis.get_xaxis_transform()
    rows = sorted({place for _, place in lost})
    for configuration, place in lost:
        rate, colour = layout.rate_of(configuration), COLOURS[place % 6]
        x, y = _x(axis, layout, rate, place), 0.975 - STRIP * rows.index(place)
        part = f"{configuration.estimate.num_na}/{len(configuration.scores)}" if configuration.estimate.n else ""
        axis.plot(x, y, "x", color=colour, markersize=4.5, transform=across, clip_on=False)
        axis.annotate(part, (x, y), xycoords=across, xytext=(4, 0), textcoords="offset points", va="center",
                      fontsize=6.5, color=colour)  # fmt: skip


def heat_picture(verdict: Verdict) -> Figure:
    """Draw the mean of every combination of method and rate with its value; hatched where all seeds are N/A."""
    from matplotlib import colormaps
    from matplotlib.colors import LogNorm, Normalize

    leaderboard, layout = verdict.leaderboard, PlotAxes.of(verdict.leaderboard)
    assert layout.rate is not None
    across, down, parts = leaderboard.values(layout.rate), layout.methods, layout.panels()
    means = [configuration.estimate.mean for configuration in leaderboard.configurations if configuration.estimate.n]
    low, high = (min(means), max(means)) if means else (0.0, 1.0)
    norm = (LogNorm if is_wide(means) else Normalize)(low, high if high > low else low + 1)
    # Darker is better.
    colours = colormaps["cividis" if leaderboard.sign > 0 else "cividis_r"].copy()
    crowded = len(across) > 8
    longest = max(len(layout.label(method)) for method in down)
    digits = 3 if crowded else 4
    longest_value = max((len(significant(mean, digits)) for mean in means), default=0)
    cell = max(0.58, 0.075 * longest_value + 0.06)  # inches
    width, height = max(2.6, cell * len(across) + 1.0 + 0.075 * longest), max(1.5, 0.36 * len(down) + 0.9)
    in_a_row = max(1, min(len(parts), int(11 / width)))
    with styled():
        figure, axes = panels(len(parts), in_a_row, "", (width, height))
        for axis, (title, configurations) in zip(axes, parts, strict=True):
            table = np.full((len(down), len(across)), np.nan)
            for row, method in enumerate(down):
                for configuration in layout.with_method(configurations, method):
                    column, mean = across.index(configuration.settings[layout.rate]), configuration.estimate.mean
                    table[row, column] = mean
                    ground = colours(norm(mean)) if configuration.estimate.n else None
                    _write(axis, configuration, column, row, ground, digits)
            axis.imshow(np.ma.masked_invalid(table), cmap=colours, norm=norm, aspect="auto")
            axis.set(title=panel_title(title, width), xlabel=layout.rate, ylabel=layout.method or "")
            name_ticks(axis, [f"{value:g}" for value in across], crowded)
            axis.set_yticks(range(len(down)), [layout.label(value) for value in down])
            axis.tick_params(length=0)
            axis.spines[:].set_visible(False)
        if means:
            aspect = 12 * max(1.0, height * -(-len(parts) // in_a_row) / 2.5)
            bar = _colour_bar(figure, axes, norm, colours, f"{leaderboard.how} {leaderboard.metric_label}", aspect)
            ends = leaderboard.ends
            # A line on the colour bar has to be visible on all colours, so it is not grey.
            drawn = draw_references(bar.ax, *ends, means, color=VERMILION)
            legend(figure, reference_keys(drawn, *ends, color=VERMILION))
    return figure


def _colour_bar(figure: Any, axes: Any, norm: Any, colours: Any, label: str, aspect: float) -> Any:
    """Add a colour bar and return it; a logarithmic one has plain decimal labels."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.ticker import FuncFormatter, NullFormatter

    bar = figure.colorbar(ScalarMappable(norm, colours), ax=axes, label=label, aspect=aspect, pad=0.02)
    bar.outline.set_visible(False)
    if is_wide([norm.vmin, norm.vmax]):
        bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: decimal(y)))
        # Minor ticks are labelled at 2 and 5 times a power of ten only.
        some = FuncFormatter(lambda y, _: f"{y:g}" if f"{y:e}"[0] in "25" else "")
        bar.ax.yaxis.set_minor_formatter(NullFormatter() if norm.vmax > 30 * norm.vmin else some)
    return bar


def _write(axis: Any, configuration: Configuration, x: int, y: int, ground: Any, digits: int) -> None:
    """Write the value of a configuration into its field, in a colour readable on the ground (r, g, b, a).

    All values of a map have the same number of significant digits.
    """
    from matplotlib.patches import Rectangle

    crowded = digits < 4
    estimate, size = configuration.estimate, 6.5 if crowded else 7.5
    if ground is None:
        if configuration.scores:
            axis.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, fc="#f2f2f2", ec="#bbbbbb", hatch="///", lw=0))
        axis.text(x, y, "N/A" if configuration.scores else "-", ha="center", va="center", fontsize=size, color=GREY)
        return
    brightness = 0.299 * ground[0] + 0.587 * ground[1] + 0.114 * ground[2]
    text = significant(estimate.mean, digits)
    if estimate.num_na:
        text += f"\n{estimate.num_na}/{len(configuration.scores)}{'' if crowded else ' N/A'}"
    axis.text(
        x, y, text, ha="center", va="center", fontsize=size - (0.7 if estimate.num_na else 0),
        color="black" if brightness > 0.5 else "white", linespacing=0.95,
    )  # fmt: skip
