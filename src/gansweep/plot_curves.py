"""Curves over the steps with the range of their seeds, and the ends of the metric's scale, in figures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from gansweep.formatting import number
from gansweep.plot_style import CROSS, REFERENCES, key


def draw_curve(axis: Any, x: Any, values: Any, style: Mapping[str, Any], lost: Any, top: float = math.inf) -> Any:
    """Draw the mean and the range over the seeds of values (seeds, steps) over x (steps,), and return the line.

    A value is NaN where a seed has none. From the step where the first seed ends, the mean is that of the remaining
    seeds and is drawn thinner.

    Args:
        axis: the axes.
        x: steps or times.
        values: the values; every column has at least one.
        style: of the line.
        lost: whether each seed diverged or is N/A (seeds,); a cross marks the mean at its last value.
        top: largest y of a cross.
    """
    has_value = np.isfinite(values)
    mean, low, high = (reduce(values, axis=0) for reduce in (np.nanmean, np.nanmin, np.nanmax))
    num_common = int((~has_value.all(axis=0)).argmax()) if not has_value.all() else len(x)
    style = {"linewidth": 1.5, **style}
    (drawn,) = axis.plot(x[:num_common], mean[:num_common], **style)
    if num_common < len(x):
        first = max(num_common - 1, 0)
        axis.plot(x[first:], mean[first:], **{**style, "linewidth": 0.5 * style["linewidth"]})
    if len(values) > 1:
        axis.fill_between(x, low, high, color=style["color"], alpha=0.2, linewidth=0)
    for last in {
        int(np.flatnonzero(row)[-1]) for row, is_lost in zip(has_value, lost, strict=True) if is_lost and row.any()
    }:
        axis.plot(x[last], min(mean[last], top), **CROSS, color=style["color"], clip_on=False)
    return drawn


def draw_references(
    axis: Any, untrained: float | None, floor: float | None, values: Sequence[float], **style: Any
) -> dict[str, float]:
    """Draw the ends of the metric's scale as lines, and return those drawn by the names of `REFERENCES`.

    An end that is far from the values, by more than a factor of 3, or of 10 on a logarithmic axis, is not drawn: it
    would flatten the curves; on an axis with fixed limits it is not drawn outside of them. Call it after
    `scale_values`.

    Args:
        axis: the axes.
        untrained: mean value of the untrained generators; None if unknown.
        floor: value of real against real samples; None if unknown.
        values: the values in the figure.
        style: changes of the style of the lines.
    """
    finite = [value for value in values if math.isfinite(value)]
    drawn, far = {}, 10 if axis.get_yscale() == "log" else 3
    low, high = (-math.inf, math.inf) if axis.get_autoscaley_on() else sorted(axis.get_ylim())
    for (name, usual), value in zip(REFERENCES.items(), (untrained, floor), strict=True):
        if value is None or not finite:
            continue
        if min(finite) / far < value < far * max(finite) and low <= value <= high:
            axis.axhline(value, **{"zorder": 0.5, **usual, **style})
            drawn[name] = value
    return drawn


def reference_keys(drawn: Mapping[str, float], untrained: float | None, floor: float | None, **style: Any) -> list[Any]:
    """Return the legend entries of the ends of the metric's scale with their values, drawn or outside the axis.

    `style`: changes of the style of the lines.
    """
    keys = []
    for (name, usual), value in zip(REFERENCES.items(), (untrained, floor), strict=True):
        if value is not None:
            outside = {} if name in drawn else {"linestyle": ""}
            label = f"{name}: {number(value)}{', outside' if outside else ''}"
            keys.append(key(label, **{**usual, **style, **outside}))
    return keys


def separated(curves: Iterable[Any]) -> list[Any]:
    """Return curves of shares; equal ones are shifted vertically, by at most 2 %, so that all are visible.

    >>> [curve.tolist() for curve in separated(np.array([[0, 1], [0.5, 1], [0, 1]]))]
    [[-0.008, 0.992], [0.5, 1.0], [0.008, 1.008]]
    """
    curves, separate = list(curves), []
    for n, curve in enumerate(curves):
        equal = [m for m, other in enumerate(curves) if np.array_equal(curve, other)]
        gap = min(0.016, 0.04 / max(len(equal) - 1, 1))
        separate.append(curve + gap * (equal.index(n) - (len(equal) - 1) / 2))
    return separate
