"""The cells of a sweep that a paper's table is compared with."""

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
    """A training that has a result, be it a divergence.

    Args:
        directory: of the cell.
        record: what it left.
    """

    directory: Path
    record: dict[str, Any]

    def said(self, key: str, otherwise: str = "") -> str:
        """Return the choice of a group; of `scale` and `protocol` without the experiment's name."""
        return str(self.record["cell"]["overrides"].get(key) or otherwise).rpartition("/")[2]

    @property
    def lr(self) -> float:
        """Rate of the generator."""
        return float(self.record["config"]["lr"])

    @property
    def seed(self) -> int:
        """Of everything random."""
        return int(self.record["config"]["seed"])

    @property
    def total_steps(self) -> int:
        """Steps that were asked for."""
        return int(self.record["config"]["steps"])

    @property
    def metric(self) -> dict[str, Any]:
        """What was measured, empty if nothing was."""
        return self.record.get("metric") or {}

    @property
    def values(self) -> dict[int, float]:
        """The metric by step, where it could be measured."""
        return self.measured("value")

    def measured(self, key: str) -> dict[int, float]:
        """Return what evaluations have under a key by step, `value_2` being the second metric."""
        return {e["step"]: e[key] for e in self.metric.get("evaluations", []) if e.get(key) is not None}

    @property
    def seconds(self) -> dict[int, float]:
        """How long it had trained at every evaluation, by step; in a pack, all of the pack."""
        return trained_s(self.record)

    @property
    def final(self) -> float | None:
        """The metric at the end, None after a divergence."""
        return self.metric.get("final")

    @property
    def best(self) -> float | None:
        """The lowest value after training began, None after a divergence."""
        values = [value for step, value in self.values.items() if step > 0]
        return None if self.final is None or not values else min(values)

    @property
    def constant(self) -> bool:
        """Whether its last samples were all equal, or nearly so."""
        evaluations = self.metric.get("evaluations", [])
        return bool(evaluations and evaluations[-1].get("degenerate"))


def read(directory: Path, experiment: str) -> list[Trained]:
    """Read the cells of an experiment that have a result."""
    return [one for one in _all(directory) if one.said("experiment") == experiment and one.record["state"] != "failed"]


def read_all(directory: Path, folder: str) -> list[Trained]:
    """Read the cells of all experiments of a folder, mescheder_images/r1 being one of mescheder_images."""
    cells = [one for one in _all(directory) if one.record["state"] != "failed"]
    return [one for one in cells if one.record["cell"]["overrides"].get("experiment", "").startswith(f"{folder}/")]


def experiments(directory: Path) -> list[str]:
    """Name the experiments that cells of a sweep are of; of one that is made of others, the first part."""
    names = (str(one.record["cell"]["overrides"].get("experiment", "")).partition("/")[0] for one in _all(directory))
    return [name for name in dict.fromkeys(names) if name]


def parted(cells: Iterable[Trained], by: Callable[[Trained], Key]) -> dict[Key, list[Trained]]:
    """Part cells by what a key says of each, in the order in which its values come up."""
    found: dict[Key, list[Trained]] = {}
    for one in cells:
        found.setdefault(by(one), []).append(one)
    return found


def rulers_of(cells: Sequence[Trained]) -> dict[str, str]:
    """Name what was measured by the key of its values in an evaluation, `value` and maybe `value_2`."""
    found = {}
    for key, metric in (("value", "metric"), ("value_2", "metric_2")):
        name = next((one.record[metric]["name"] for one in cells if one.record.get(metric)), None)
        if name is not None:
            found[key] = name
    return found or {"value": ""}


def last_picture(directory: Path, folder: str = "samples") -> Path | None:
    """Return the last picture of samples that a cell has left, None if there is none."""
    return max((directory / folder).glob("step_*.png"), default=None)


def _all(directory: Path) -> Iterator[Trained]:
    for cell in records.directories(directory):
        try:
            record = records.read(cell)
        except records.UnreadableRecord:
            continue  # the sweep itself names it
        if record is not None:
            yield Trained(cell, record)
