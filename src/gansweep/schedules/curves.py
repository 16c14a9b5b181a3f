"""Learning-rate curves and a table that compares them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


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
