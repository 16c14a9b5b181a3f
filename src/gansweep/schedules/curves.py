"""Learning-rate curves, a table that compares them, and their plot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

MAX_LINEAR_RATIO = 20  # ratio of learning rates above which a linear axis does not resolve the lower ones
LEGEND_WIDTH = 90  # characters of the legend that fit on one line
LINE_STYLES = ("-", "--", "-.", ":")


@dataclass(frozen=True)
class Curve:
    """Learning rates of one player over one run.

    Args:
        label: name in tables and legends.
        rates: learning rate of every step, float64 (n,).
    """

    label: str
    rates: np.ndarray

    def summary(self) -> dict[str, float]:
        """Return summary statistics of the curve.

        `sum` is the sum of the learning rates over all steps. `n/4`, `n/2` and `3n/4` are the values in
        the steps n // 4, n // 2 and 3 n // 4.
        """
        rates, n = self.rates, len(self.rates)
        total = math.fsum(rates)
        return {
            "first": rates[0],
            "n/4": rates[n // 4],
            "n/2": rates[n // 2],
            "3n/4": rates[3 * n // 4],
            "last": rates[-1],
            "min": rates.min(),
            "max": rates.max(),
            "mean": total / n,
            "sum": total,
        }


def table(curves: Sequence[Curve]) -> str:
    """Return a Markdown table of the summaries, one row per curve."""
    rows = [["schedule", "steps", *curves[0].summary()]]
    for curve in curves:
        numbers = [f"{value:.4g}" for value in curve.summary().values()]
        rows.append([curve.label, str(len(curve.rates)), *numbers])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["| " + " | ".join(map(_aligned, row, widths, range(len(row)))) + " |" for row in rows]
    rule = "|".join(["", "-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:]), ""])
    return "\n".join([lines[0], rule, *lines[1:]])


def _aligned(text: str, width: int, column: int) -> str:
    return text.rjust(width) if column else text.ljust(width)


def draw(curves: Sequence[Curve], path: Path) -> None:
    """Plot the curves into one figure and save it to `path`, in the format of its extension.

    Curves are step functions: a learning rate applies from its step to the next one. The y axis is
    logarithmic if `spans_decades`; learning rates of zero are then clipped at the lower limit.

    Raises:
        ImportError: matplotlib is not installed.
        OSError: the file can't be written.
        ValueError: matplotlib does not support the format.
    """
    from matplotlib.figure import Figure

    legend_columns = min(len(curves), max(1, LEGEND_WIDTH // (max(len(curve.label) for curve in curves) + 8)))
    height = 3.8 + 0.22 * math.ceil(len(curves) / legend_columns)
    figure = Figure(figsize=(7, height), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    for n, curve in enumerate(curves):
        edges, held = np.arange(len(curve.rates) + 1), np.append(curve.rates, curve.rates[-1])
        # Different line styles keep coinciding curves visible.
        axes.plot(
            edges, held, LINE_STYLES[n % len(LINE_STYLES)], label=curve.label, drawstyle="steps-post", linewidth=1.6
        )
    if spans_decades(curves):
        axes.set_yscale("log", nonpositive="clip")
        axes.set_ylim(bottom=_floor(curves))
    else:
        axes.set_ylim(bottom=0)
        axes.ticklabel_format(axis="y", scilimits=(-2, 3), useMathText=True)
    axes.set_xlim(0, max(len(curve.rates) for curve in curves))
    axes.set_xlabel("step (generator updates)")
    axes.set_ylabel("learning rate")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", frameon=False, ncols=legend_columns)
    figure.savefig(path)


def spans_decades(curves: Sequence[Curve]) -> bool:
    """Return whether the learning rates need a logarithmic axis.

    True if the lower quartile of a curve, or the maximum of a curve, is more than
    `MAX_LINEAR_RATIO` times smaller than the maximum of this curve or of another curve,
    respectively. A curve that only ends near zero, such as a cosine, is shown on a linear axis.
    """
    highest = [float(curve.rates.max()) for curve in curves if curve.rates.any()]
    within = any(float(curve.rates.max()) > MAX_LINEAR_RATIO * _lower_quartile(curve) for curve in curves)
    return within or (bool(highest) and max(highest) > MAX_LINEAR_RATIO * min(highest))


def _lower_quartile(curve: Curve) -> float:
    positive = curve.rates[curve.rates > 0]
    return float(np.quantile(positive, 0.25)) if len(positive) else 0.0


def _floor(curves: Sequence[Curve]) -> float:
    """Return the lower limit of a logarithmic axis, above rates that few steps have."""
    lowest = min(float(curve.rates[curve.rates > 0].min()) for curve in curves if curve.rates.any())
    usual = min(_lower_quartile(curve) for curve in curves if curve.rates.any())
    return max(lowest / 1.5, usual / 30)
