"""Published tables, stored as JSON in the package."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

Setting = tuple[str, float]  # optimizer and learning rate


@dataclass(frozen=True)
class Printed:
    """Published values of a metric by optimizer and learning rate, at several training lengths.

    Args:
        source: the reference.
        metric: name of the metric in our records.
        labels: labels of the columns.
        values: one row per setting; None where the paper prints N/A.
    """

    source: str
    metric: str
    labels: tuple[int, ...]
    values: Mapping[Setting, tuple[float, ...] | None]

    def at(self, label: int) -> dict[Setting, float | None]:
        """Return one column."""
        place = self.labels.index(label)
        return {setting: None if row is None else row[place] for setting, row in self.values.items()}

    def best_until(self, label: int) -> dict[Setting, float | None]:
        """Return the lowest value of every row up to and including a column."""
        last = self.labels.index(label) + 1
        return {setting: None if row is None else min(row[:last]) for setting, row in self.values.items()}


def rate(lr: float) -> str:
    """Return a learning rate in the form 1e-4.

    >>> rate(1e-4), rate(0.1), rate(5e-5)
    ('1e-4', '1e-1', '5e-5')
    """
    return f"{lr:.0e}".replace("e-0", "e-")


@cache
def printed(name: str) -> Printed:
    """Return the table in the JSON file `name`."""
    content = json.loads(Path(__file__).with_name(f"{name}.json").read_text(encoding="utf-8"))
    rows = {
        (cell["optimizer"], float(cell["lr"])): None if cell["values"] is None else tuple(cell["values"])
        for cell in content["cells"]
    }
    return Printed(content["source"], content["metric"], tuple(content["labels"]), rows)
