"""The twelve generator learning rate schedules of the CoopNets study, printed and trained."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from gansweep.config.instantiate import Constructor
from gansweep.formatting import number
from gansweep.papers.trained import Trained
from gansweep.papers.verdict import rank_correlation

if TYPE_CHECKING:
    import numpy as np

Values = Mapping[int, float | None]  # by experiment number


@dataclass(frozen=True)
class Printed:
    """A row of the study's table.

    Args:
        exp: experiment number.
        schedule: description; each of five values is held for 100 epochs.
        sum: sum of the rates over the epochs.
        loss: reconstruction error; None if unknown.
    """

    exp: int
    schedule: str
    sum: float
    loss: float | None


@cache
def source() -> str:
    """Return the source of the rows."""
    return str(_content()["source"])


@cache
def rows() -> Mapping[int, Printed]:
    """Return the table by experiment number."""
    return {row["exp"]: Printed(**row) for row in _content()["experiments"]}


def rates(cell: Trained) -> np.ndarray:
    """Return the generator learning rate (steps,) of a cell, from its config."""
    make = Constructor()
    schedule = make(dict(cell.record["config"]["schedule"]), "schedule")
    return cell.lr * schedule.values(cell.total_steps)


def mean(values: Sequence[float | None]) -> float | None:
    """Return the mean over seeds; None if a seed has no value."""
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known and len(known) == len(values) else None


def places(values: Mapping[int, float | None]) -> dict[int, int]:
    """Return ranks from 1 (lowest value); missing values have no rank.

    >>> places({1: None, 2: 0.5, 7: 0.4})
    {7: 1, 2: 2}
    """
    known = sorted((value, exp) for exp, value in values.items() if value is not None)
    return {exp: place for place, (_, exp) in enumerate(known, 1)}


def shown(value: float | None, otherwise: str = "N/A") -> str:
    """Return a formatted value, or `otherwise` for None."""
    return otherwise if value is None else number(value)


def correlations(pairs: Iterable[tuple[str, str, Values, Values]]) -> str:
    """Return a table of rank correlations for pairs (name, name, values, values)."""
    lines = ["| Spearman's rank correlation of | with | is | over |", "|---" * 4 + "|"]
    for one, other, first, second in pairs:
        rho, count = rank_correlation(first, second)
        lines.append(f"| {one} | {other} | {'-' if math.isnan(rho) else f'{rho:.3f}'} | {count} |")
    return "\n".join(lines)


def _content() -> dict:
    return json.loads(Path(__file__).with_name("coopnets_table1.json").read_text(encoding="utf-8"))
