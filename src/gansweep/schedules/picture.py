"""Curves of rates as a picture, with matplotlib."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gansweep.schedules.curves import Curve

DECADES = 20  # quotient of rates from which on a line can't show the lower ones
WIDE = 90  # letters that fit beside each other under the axes
LINES = ("-", "--", "-.", ":")


def draw(curves: Sequence[Curve], path: Path) -> None:
    """Draw the curves into one picture of the kind that the ending of `path` names.

    A rate is held from its step to the next one. The axis is logarithmic where the rates span
    decades for a good part of the run; a rate of zero lies below such an axis.

    Raises:
        ImportError: matplotlib is not installed.
        OSError: the file can't be written.
        ValueError: there are no pictures of that kind.
    """
    from matplotlib.figure import Figure

    in_a_row = min(len(curves), max(1, WIDE // (max(len(curve.label) for curve in curves) + 8)))
    height = 3.8 + 0.22 * math.ceil(len(curves) / in_a_row)
    figure = Figure(figsize=(7, height), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    for n, curve in enumerate(curves):
        edges, held = np.arange(len(curve.rates) + 1), np.append(curve.rates, curve.rates[-1])
        # Where curves coincide, the upper one lets the lower one show through its gaps.
        axes.plot(edges, held, LINES[n % len(LINES)], label=curve.label, drawstyle="steps-post", linewidth=1.6)
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
    figure.legend(loc="outside lower center", frameon=False, ncols=in_a_row)
    figure.savefig(path)


def spans_decades(curves: Sequence[Curve]) -> bool:
    """Tell whether rates differ so much that a linear axis would hide some.

    A curve that only ends near zero, as a cosine does, is read best on a linear axis. So a
    quarter of a curve's steps must lie far below its highest rate, or a whole curve below another.
    """
    highest = [float(curve.rates.max()) for curve in curves if curve.rates.any()]
    within = any(float(curve.rates.max()) > DECADES * _lower_quartile(curve) for curve in curves)
    return within or (bool(highest) and max(highest) > DECADES * min(highest))


def _lower_quartile(curve: Curve) -> float:
    positive = curve.rates[curve.rates > 0]
    return float(np.quantile(positive, 0.25)) if len(positive) else 0.0


def _floor(curves: Sequence[Curve]) -> float:
    """Return where a logarithmic axis ends: at the lowest rate, unless few steps are that low."""
    lowest = min(float(curve.rates[curve.rates > 0].min()) for curve in curves if curve.rates.any())
    usual = min(_lower_quartile(curve) for curve in curves if curve.rates.any())
    return max(lowest / 1.5, usual / 30)
