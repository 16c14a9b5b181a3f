"""Shared plot elements: colours, markers, axis scales, grid and legend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from gansweep.plot_style import BLUE, GREEN, GREY, ORANGE, PINK, SKY, VERMILION

COLOURS = (BLUE, VERMILION, GREEN, ORANGE, PINK, SKY)
MARKERS = ("o", "s", "^", "D", "v", "P")
LINES = ("-", "--", "-.", ":")
DECADE = 8.0  # ratio max/min above which an axis is logarithmic


def look(place: int) -> dict[str, Any]:
    """Return colour, marker and line style of the n-th method; the combinations repeat after 24."""
    return {
        "color": COLOURS[place % 6],
        "marker": MARKERS[place % 6],
        "linestyle": LINES[(place // 6) % 4],
    }


def shades(number: int) -> list[Any]:
    """Return `number` colours from dark to light for ordered values, distinguishable in greyscale."""
    from matplotlib import colormaps

    return [colormaps["viridis"](0.9 * n / max(number - 1, 1)) for n in range(number)]


def columns(number: int) -> int:
    """Return the number of small panels per row, 3 or 4, that leaves the fewest empty positions.

    >>> [columns(number) for number in (2, 4, 5, 9, 11, 12)]
    [2, 4, 3, 3, 4, 4]
    """
    return min(number, min((4, 3), key=lambda wide: -number % wide))


def is_wide(values: Sequence[float]) -> bool:
    """Return whether values are positive and spread enough for a logarithmic axis."""
    known = [value for value in values if math.isfinite(value)]
    return bool(known) and min(known) > 0 and max(known) > DECADE * min(known)


def scale_values(axis: Any, values: Sequence[float], which: str = "y") -> None:
    """Make an axis logarithmic if `is_wide`, with plain decimal tick labels."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    if not is_wide(values):
        return
    getattr(axis, f"set_{which}scale")("log")
    ticks = getattr(axis, f"{which}axis")
    span = math.log10(max(values) / min(values))
    ticks.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if span < 2 else (1.0, 3.0) if span < 4 else (1.0,)))
    ticks.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
    ticks.set_minor_formatter(NullFormatter())


def scale_rates(axis: Any, rates: Sequence[float], name: str) -> None:
    """Label the x axis with a rate; logarithmic if the rates differ by more than a factor of 3."""
    axis.set_xlabel(RATE_NAMES.get(name, name))
    if max(rates) > 3 * min(rates):
        axis.set_xscale("log")
        axis.set_xlim(min(rates) / 1.8, max(rates) * 1.8)


RATE_NAMES = {"lr": "learning rate (lr)", "lr_d": "discriminator learning rate (lr_d)"}


def grid(axis: Any) -> None:
    """Draw faint grid lines behind the data."""
    axis.grid(alpha=0.25, linewidth=0.5)
    axis.set_axisbelow(True)


def reference(axis: Any, metric: Any, values: Sequence[float]) -> list[float]:
    """Draw the metric of real against real data as a dashed line if it is near the values; return [floor] or []."""
    floor = metric.get("floor")
    known = [value for value in values if math.isfinite(value)]
    if floor is None or not known or not min(known) / 3 < floor <= max(known):
        return []
    axis.axhline(floor, color=GREY, linestyle="--", linewidth=1, zorder=0.5)
    return [floor]


def legend(figure: Any, handles: Sequence[Any]) -> None:
    """Add a legend below the panels, as wide as the figure; the figure grows with the number of rows."""
    if not handles:
        return
    longest = max(len(str(handle.get_label())) for handle in handles)
    fit = max(1, int(figure.get_figwidth() / (0.068 * longest + 0.55)))
    rows = -(-len(handles) // fit)
    figure.set_figheight(figure.get_figheight() + 0.17 * max(0, rows - 4))  # keeps the height of the panels
    figure.legend(handles=handles, loc="outside lower center", ncols=-(-len(handles) // rows))
