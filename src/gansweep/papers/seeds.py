"""Aggregation over seeds, as text and as a curve."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from gansweep.formatting import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def spread(values: Sequence[float]) -> str:
    """Return mean ± standard deviation; a single value without deviation; N/A without values."""
    if not values:
        return "N/A"
    mean = statistics.fmean(values)
    if len(values) == 1:
        return number(mean)
    return f"{number(mean)} ± {number(statistics.stdev(values), like=mean)}"


def by_step(values: Sequence[Mapping[int, float]]) -> dict[int, list[float]]:
    """Return the values of all seeds at every step with at least one value.

    >>> by_step([{0: 5.0, 10: 1.0}, {0: 6.0}])
    {0: [5.0, 6.0], 10: [1.0]}
    """
    return {step: [one[step] for one in values if step in one] for step in sorted({s for one in values for s in one})}


def curve(
    axis: Axes, places: Sequence[float], columns: Sequence[Sequence[float]], colour: str, label: str | None = None
) -> None:
    """Draw the mean of every column with the range as a band."""
    axis.plot(places, [statistics.fmean(c) for c in columns], color=colour, lw=1.2, marker=".", ms=3, label=label)
    if any(len(column) > 1 for column in columns):
        axis.fill_between(places, [min(c) for c in columns], [max(c) for c in columns], color=colour, alpha=0.15, lw=0)
