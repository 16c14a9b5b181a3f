"""Cells of a sweep with their records, for comparison with published tables."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from gansweep.sweep import records
from gansweep.training.record import trained_s

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Trained:
    """A finished run, completed or diverged.

    Args:
        directory: directory of the cell.
        record: content of its record.json.
    """

    directory: Path
    record: dict[str, Any]

    def said(self, key: str, otherwise: str = "") -> str:
        """Return the chosen option of a config group, without a folder prefix such as the experiment's name."""
        return str(self.record["cell"]["overrides"].get(key) or otherwise).rpartition("/")[2]

    @property
    def lr(self) -> float:
        """Learning rate of the generator."""
        return float(self.record["config"]["lr"])

    @property
    def seed(self) -> int:
        """Random seed of the run."""
        return int(self.record["config"]["seed"])

    @property
    def total_steps(self) -> int:
        """Configured number of steps."""
        return int(self.record["config"]["steps"])

    @property
    def metric(self) -> dict[str, Any]:
        """Metric entry of the record; empty if nothing was measured."""
        return self.record.get("metric") or {}

    @property
    def values(self) -> dict[int, float]:
        """Values of the metric by step; missing values are omitted."""
        return self.measured("value")

    def measured(self, key: str) -> dict[int, float]:
        """Return the values of the evaluations by step under a key: `value`, or `value_2` for the second metric."""
        return {e["step"]: e[key] for e in self.metric.get("evaluations", []) if e.get(key) is not None}

    @property
    def seconds(self) -> dict[int, float]:
        """Training time in seconds at every evaluation, by step; in a pack, that of the whole pack."""
        return trained_s(self.record)

    @property
    def final(self) -> float | None:
        """Final value of the metric; None for a diverged run."""
        return self.metric.get("final")

    @property
    def best(self) -> float | None:
        """Lowest value after step 0; None for a diverged run."""
        values = [value for step, value in self.values.items() if step > 0]
        return None if self.final is None or not values else min(values)

    @property
    def constant(self) -> bool:
        """Whether the last samples were (nearly) all equal."""
        evaluations = self.metric.get("evaluations", [])
        return bool(evaluations and evaluations[-1].get("degenerate"))


def read(directory: Path, experiment: str) -> list[Trained]:
    """Return the finished cells of an experiment."""
    return [one for one in _all(directory) if one.said("experiment") == experiment and one.record["state"] != "failed"]


def read_all(directory: Path, folder: str) -> list[Trained]:
    """Return the finished cells of all experiments in a folder, for example mescheder_images/r1."""
    cells = [one for one in _all(directory) if one.record["state"] != "failed"]
    return [one for one in cells if one.record["cell"]["overrides"].get("experiment", "").startswith(f"{folder}/")]


def experiments(directory: Path) -> list[str]:
    """Return the names of the experiments in a sweep; for an experiment in a folder, the folder name."""
    names = (str(one.record["cell"]["overrides"].get("experiment", "")).partition("/")[0] for one in _all(directory))
    return [name for name in dict.fromkeys(names) if name]


def parted(cells: Iterable[Trained], by: Callable[[Trained], Key]) -> dict[Key, list[Trained]]:
    """Return cells grouped by a key function, in order of first appearance."""
    found: dict[Key, list[Trained]] = {}
    for one in cells:
        found.setdefault(by(one), []).append(one)
    return found


def rulers_of(cells: Sequence[Trained]) -> dict[str, str]:
    """Return the metric names by evaluation key: `value`, and `value_2` if there is a second metric."""
    found = {}
    for key, metric in (("value", "metric"), ("value_2", "metric_2")):
        name = next((one.record[metric]["name"] for one in cells if one.record.get(metric)), None)
        if name is not None:
            found[key] = name
    return found or {"value": ""}


def last_picture(directory: Path, folder: str = "samples") -> Path | None:
    """Return the last sample image of a cell; None if there is none."""
    return max((directory / folder).glob("step_*.png"), default=None)


def _all(directory: Path) -> Iterator[Trained]:
    for cell in records.directories(directory):
        try:
            record = records.read(cell)
        except records.UnreadableRecord:
            continue  # reported by the sweep
        if record is not None:
            yield Trained(cell, record)
