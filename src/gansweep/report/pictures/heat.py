"""Heat map of the mean over method and rate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gansweep.formatting import number
from gansweep.plot_style import GREY, panels, styled
from gansweep.report.pictures.marks import is_wide
from gansweep.report.plot_axes import Roles
from gansweep.report.verdict import Verdict
from gansweep.results.leaderboard import Candidate

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def heat_picture(verdict: Verdict) -> Figure:
    """Draw the mean of every combination of method and rate with its value; hatched where all seeds are N/A."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LogNorm, Normalize

    contest, roles = verdict.contest, Roles.of(verdict.contest)
    assert roles.rate is not None
    across, down, parts = contest.values(roles.rate), roles.methods, roles.panels()
    means = [one.estimate.mean for one in contest.candidates if one.estimate.n]
    low, high = (min(means), max(means)) if means else (0.0, 1.0)
    norm = (LogNorm if is_wide(means) else Normalize)(low, high if high > low else low + 1)
    # Darker is better.
    colours = colormaps["cividis" if contest.sign > 0 else "cividis_r"].copy()
    wide = len(across) > 8
    longest = max(len(roles.label(method)) for method in down)
    words = max((len(number(mean)) for mean in means), default=0)
    cell = 0.58 if wide else max(0.58, 0.075 * words + 0.06)  # inches
    width, height = max(2.6, cell * len(across) + 1.0 + 0.075 * longest), max(1.5, 0.36 * len(down) + 0.9)
    with styled():
        in_a_row = max(1, min(len(parts), int(11 / width)))
        figure, axes = panels(len(parts), in_a_row, "", (width, height))
        for axis, (title, candidates) in zip(axes, parts, strict=True):
            table = np.full((len(down), len(across)), np.nan)
            for row, method in enumerate(down):
                for one in roles.with_method(candidates, method):
                    column = across.index(one.settings[roles.rate])
                    table[row, column] = one.estimate.mean
                    _word(axis, one, column, row, colours(norm(one.estimate.mean)) if one.estimate.n else None, wide)
            axis.imshow(np.ma.masked_invalid(table), cmap=colours, norm=norm, aspect="auto")
            axis.set(title=title, xlabel=roles.rate, ylabel=roles.method or "")
            axis.set_xticks(
                range(len(across)),
                [f"{value:g}" for value in across],
                rotation=45 if wide else 0,
                ha="right" if wide else "center",
            )
            axis.set_yticks(range(len(down)), [roles.label(value) for value in down])
            axis.tick_params(length=0)
            axis.spines[:].set_visible(False)
        if means:
            slim = 12 * max(1.0, height * -(-len(parts) // in_a_row) / 2.5)
            label = f"{contest.how} {contest.metric_name}"
            bar = figure.colorbar(ScalarMappable(norm, colours), ax=axes, label=label, aspect=slim, pad=0.02)
            bar.outline.set_visible(False)  # type: ignore[operator]
            if isinstance(norm, LogNorm):
                from matplotlib.ticker import FuncFormatter, NullFormatter

                bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
                bar.ax.yaxis.set_minor_formatter(NullFormatter() if high > 30 * low else FuncFormatter(_some))
    return figure


def _some(y: float, _: Any) -> str:
    """Return the label of a minor tick; only 2 and 5 times a power of ten are labelled."""
    return f"{y:g}" if f"{y:e}"[0] in "25" else ""


def _word(axis: Any, one: Candidate, x: int, y: int, ground: Any, wide: bool) -> None:
    from matplotlib.patches import Rectangle

    estimate, size = one.estimate, 6.5 if wide else 7.5
    if ground is None:
        if one.scores:
            axis.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, fc="#f2f2f2", ec="#bbbbbb", hatch="///", lw=0))
        axis.text(x, y, "N/A" if one.scores else "-", ha="center", va="center", fontsize=size, color=GREY)
        return
    light = 0.299 * ground[0] + 0.587 * ground[1] + 0.114 * ground[2]
    text = number(estimate.mean) if not wide else f"{estimate.mean:.3g}"
    if estimate.num_na:
        text += f"\n{estimate.num_na}/{len(one.scores)}{'' if wide else ' N/A'}"
    axis.text(
        x, y, text, ha="center", va="center", fontsize=size - (0.7 if estimate.num_na else 0),
        color="black" if light > 0.5 else "white", linespacing=0.95,
    )  # fmt: skip
