"""The twelve generator schedules of the study of CoopNets' rates, printed and as cells were trained by them."""

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

Values = Mapping[int, float | None]  # by the number of the experiment


@dataclass(frozen=True)
class Printed:
    """A row of the study's table.

    Args:
        exp: number of the experiment.
        schedule: in words; each of five values is held for 100 epochs.
        sum: of the rates over the epochs.
        loss: reconstruction error, None where it is not known.
    """

    exp: int
    schedule: str
    sum: float
    loss: float | None


@cache
def source() -> str:
    """Say where the rows are from."""
    return str(_content()["source"])


@cache
def rows() -> Mapping[int, Printed]:
    """Return the table by the experiment's number."""
    return {row["exp"]: Printed(**row) for row in _content()["experiments"]}


def rates(cell: Trained) -> np.ndarray:
    """Return the generator's rate in every step of a cell, as its config says it."""
    make = Constructor()
    schedule = make(dict(cell.record["config"]["schedule"]), "schedule")
    return cell.lr * schedule.values(cell.total_steps)


def mean(values: Sequence[float | None]) -> float | None:
    """Return the mean over seeds, None where one of them has no value."""
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known and len(known) == len(values) else None


def places(values: Mapping[int, float | None]) -> dict[int, int]:
    """Rank values from 1, the lowest; those that do not exist have no rank.

    >>> places({1: None, 2: 0.5, 7: 0.4})
    {7: 1, 2: 2}
    """
    known = sorted((value, exp) for exp, value in values.items() if value is not None)
    return {exp: place for place, (_, exp) in enumerate(known, 1)}


def shown(value: float | None, otherwise: str = "N/A") -> str:
    """Write a value, or what stands for none."""
    return otherwise if value is None else number(value)


def correlations(pairs: Iterable[tuple[str, str, Values, Values]]) -> str:
    """Tabulate rank correlations, given what two numbers are called and their values by experiment."""
    lines = ["| Spearman's rank correlation of | with | is | over |", "|---" * 4 + "|"]
    for one, other, first, second in pairs:
        rho, count = rank_correlation(first, second)
        lines.append(f"| {one} | {other} | {'-' if math.isnan(rho) else f'{rho:.3f}'} | {count} |")
    return "\n".join(lines)


def _content() -> dict:
    return json.loads(Path(__file__).with_name("coopnets_table1.json").read_text(encoding="utf-8"))
