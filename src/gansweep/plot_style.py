"""Style, layout, legends and saving of figures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The palette of Okabe and Ito, which is safe for colour-blind readers.
BLUE, ORANGE, GREEN, PINK, SKY, VERMILION = "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00"
GREY = "#666666"
COLOURS = (BLUE, VERMILION, GREEN, ORANGE, PINK, SKY)
MARKERS = ("o", "s", "^", "D", "v", "P")
LINES = ("-", "--", "-.", ":")
DASHES = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)), (0, (10, 3)))  # of ordered curves
RATE_NAMES = {"lr": "learning rate (lr)", "lr_d": "discriminator learning rate (lr_d)"}
FLOOR = {"color": GREY, "linestyle": "--", "linewidth": 1}  # line of real against real
UNTRAINED = {"color": GREY, "linestyle": ":", "linewidth": 1}  # line of the untrained generators
REFERENCES = {"untrained": UNTRAINED, "real against real": FLOOR}
CROSS = {"marker": "x", "linestyle": "", "markersize": 6, "markeredgewidth": 1.8, "zorder": 4}  # a diverged seed
DECADE = 8.0  # ratio max/min above which an axis is logarithmic

STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "savefig.dpi": 110,
}


def panels(number: int, columns: int, title: str, size: tuple[float, float]) -> tuple[Figure, list[Axes]]:
    """Return a figure and its `number` axes in row-major order.

    The figure uses the Agg backend and needs no display.

    Args:
        number: number of axes.
        columns: columns of the grid; the last row may be shorter.
        title: title of the figure, "" for none.
        size: width and height of one of the axes, in inches.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = -(-number // columns)
    figure = Figure(figsize=(size[0] * columns, size[1] * rows + 0.4), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(rows, columns, squeeze=False)
    if title:
        figure.suptitle(title, fontsize=11)
    axes: list[Any] = list(grid.flat)
    for spare in axes[number:]:
        spare.remove()
    return figure, axes[:number]


def wrapped(text: str, width: int = 34) -> str:
    """Return a list separated by commas, such as `lr=1, loss=r1`, broken into at most three lines."""
    lines: list[str] = []
    for part in text.split(", "):
        if lines and len(lines[-1]) + len(part) + 2 <= width:
            lines[-1] += f", {part}"
        else:
            lines.append(part)
    return "\n".join(line if len(line) <= width else line[: width - 1] + "…" for line in lines[:3])


def panel_title(text: str, width: float) -> str:
    """Return the title of a panel, broken into lines that fit its width in inches."""
    return wrapped(text, int(12 * width))


def look(place: int) -> dict[str, Any]:
    """Return colour, marker and line style of the n-th method.

    Neighbours differ in all three, so that they are distinct in greyscale. The combinations of colour and line style
    repeat after 24.
    """
    return {
        "color": COLOURS[place % 6],
        "marker": MARKERS[place % 6],
        "linestyle": LINES[(place + place // 12) % 4],
    }


def line(place: int) -> dict[str, Any]:
    """Return colour and line style of the n-th method, without marker."""
    return {name: value for name, value in look(place).items() if name != "marker"}


def shades(number: int) -> list[dict[str, Any]]:
    """Return colour and line style of `number` curves of ordered values.

    The colours go from dark to light, the line styles repeat after five.
    """
    from matplotlib import colormaps

    colours = [colormaps["viridis"](0.85 * n / max(number - 1, 1)) for n in range(number)]
    return [{"color": colour, "linestyle": DASHES[n % len(DASHES)]} for n, colour in enumerate(colours)]


def num_columns(number: int) -> int:
    """Return the number of small panels per row, 3 or 4, that leaves the fewest empty positions.

    >>> [num_columns(number) for number in (2, 4, 5, 9, 11, 12)]
    [2, 4, 3, 3, 4, 4]
    """
    return min(number, min((4, 3), key=lambda wide: -number % wide))


def is_wide(values: Sequence[float]) -> bool:
    """Return whether values are positive and spread enough for a logarithmic axis."""
    finite = [value for value in values if math.isfinite(value)]
    return bool(finite) and min(finite) > 0 and max(finite) > DECADE * min(finite)


def scale_values(axis: Any, values: Sequence[float]) -> None:
    """Make the y axis logarithmic if the values are `is_wide`."""
    if is_wide(values):
        span = math.log10(max(values) / min(values))
        log_values(axis, (1.0, 2.0, 5.0) if span < 2 else (1.0, 3.0) if span < 4 else (1.0,))


def log_values(axis: Any, subs: Sequence[float] = (1.0, 2.0, 5.0)) -> None:
    """Make the y axis logarithmic, with plain decimal labels at these multiples of powers of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_yscale("log")
    axis.yaxis.set_major_locator(LogLocator(subs=subs))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda y, _: decimal(y)))
    axis.yaxis.set_minor_formatter(NullFormatter())


def decimal(value: float) -> str:
    r"""Return the label of a tick of a logarithmic axis: a decimal number, or a power of ten for extreme values.

    >>> decimal(0.05), decimal(20000.0), decimal(1e6), decimal(5e-7)
    ('0.05', '20000', '$10^{6}$', '$5\\cdot10^{-7}$')
    """
    if 1e-4 < value < 1e5:
        return f"{value:g}"
    digit, _, exponent = f"{value:.0e}".partition("e")
    return f"${'' if digit == '1' else f'{digit}' + chr(92) + 'cdot'}10^{{{int(exponent)}}}$"


def scale_rates(axis: Any, rates: Sequence[float], name: str) -> None:
    """Label the x axis with a rate; logarithmic if the rates differ by more than a factor of 3."""
    axis.set_xlabel(RATE_NAMES.get(name, name))
    if max(rates) > 3 * min(rates):
        axis.set_xscale("log")
        axis.set_xlim(min(rates) / 1.8, max(rates) * 1.8)


def grid_lines(axis: Any) -> None:
    """Draw faint grid lines behind the data."""
    axis.grid(alpha=0.25, linewidth=0.5)
    axis.set_axisbelow(True)


def name_ticks(axis: Any, names: Sequence[str], crowded: bool) -> None:
    """Write names below the x axis at 0, 1, ...; rotated if they are crowded."""
    rotated = {"rotation": 45, "ha": "right"} if crowded else {"rotation": 0, "ha": "center"}
    axis.set_xticks(range(len(names)), names, **rotated)


def band_key(label: str) -> Any:
    """Return the legend entry of a band."""
    from matplotlib.patches import Patch

    return Patch(facecolor=GREY, alpha=0.3, linewidth=0, label=label)


def key(label: str, **style: Any) -> Any:
    """Return the legend entry of a line or marker."""
    from matplotlib.lines import Line2D

    return Line2D([], [], label=label, **style)


def legend(figure: Any, handles: Sequence[Any]) -> None:
    """Add a legend below the panels, as wide as the figure; the figure grows with the number of rows."""
    if not handles:
        return
    longest = max(len(str(handle.get_label())) for handle in handles)
    fit = max(1, int(figure.get_figwidth() / (0.068 * longest + 0.55)))
    rows = -(-len(handles) // fit)
    figure.set_figheight(figure.get_figheight() + 0.17 * max(0, rows - 4))  # keeps the height of the panels
    figure.legend(handles=handles, loc="outside lower center", ncols=-(-len(handles) // rows))


def styled() -> Any:
    """Return the matplotlib context in which figures are drawn and saved."""
    from matplotlib import rc_context

    return rc_context(STYLE)


def save(figure: Figure, path: Path, svg: bool = False) -> list[Path]:
    """Save a figure, optionally as SVG too, and return the paths."""
    paths = [path, path.with_name(f"{path.stem}.svg")] if svg else [path]
    for file in paths:
        figure.savefig(file)
    return paths


def save_gif(figure: Figure, draw: Any, frames: Iterable[int], path: Path, per_second: int = 20) -> None:
    """Save an animation; `draw(frame)` updates the figure before each frame."""
    from matplotlib.animation import FuncAnimation, PillowWriter

    # Compute the layout once: it would take most of the time of each frame.
    figure.draw_without_rendering()
    figure.set_layout_engine("none")

    def update(frame: int) -> list[Any]:
        draw(frame)
        return []

    FuncAnimation(figure, update, frames=list(frames), init_func=lambda: []).save(
        path, PillowWriter(fps=per_second), dpi=80
    )
