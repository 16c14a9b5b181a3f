"""Finished runs of a sweep, divided into the tables of a paper."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from gansweep.config.keys import FALLBACKS
from gansweep.sweep import records
from gansweep.sweep.identity import plain
from gansweep.sweep.metric_groups import OF_TRAINING
from gansweep.training.record import trained_s

Key = TypeVar("Key", bound=Hashable)
LONGEST_SHOWN = 40  # characters of a setting in the heading of a table


@dataclass(frozen=True)
class Run:
    """A run that completed or diverged.

    Args:
        directory: directory of the cell.
        record: content of its record.json.
    """

    directory: Path
    record: dict[str, Any]

    @property
    def experiment(self) -> str:
        """Name of the experiment; for `mescheder_images/r1` that of the folder."""
        return str(self.record["cell"]["overrides"].get("experiment", "")).partition("/")[0]

    def choice(self, group: str, default: str = "") -> str:
        """Return the chosen option of a config group without its folder: `r1` for `experiment=mescheder_images/r1`."""
        return str(self.record["cell"]["overrides"].get(group) or default).rpartition("/")[2]

    @property
    def config(self) -> dict[str, Any]:
        """The resolved configuration."""
        return self.record["config"]

    @property
    def lr(self) -> float:
        """Learning rate of the generator."""
        return float(self.config["lr"])

    @property
    def seed(self) -> int:
        """Random seed."""
        return int(self.config["seed"])

    @property
    def steps(self) -> int:
        """Configured number of steps."""
        return int(self.config["steps"])

    @property
    def metric(self) -> dict[str, Any]:
        """Metric entry of the record; empty if nothing was measured."""
        return self.record.get("metric") or {}

    @property
    def metric_name(self) -> str:
        """Name of the metric; "nothing" if nothing was measured."""
        return str(self.metric.get("name", "nothing"))

    def values(self, key: str = "value") -> dict[int, float]:
        """Return the measured values by step. `value_2` is the key of the second metric."""
        return {e["step"]: e[key] for e in self.metric.get("evaluations", []) if e.get(key) is not None}

    @property
    def final(self) -> float | None:
        """Final value of the metric; None for a diverged run."""
        return self.metric.get("final")

    @property
    def best(self) -> float | None:
        """Lowest value after step 0; None for a diverged run."""
        values = [value for step, value in self.values().items() if step > 0]
        return None if self.final is None or not values else min(values)

    @property
    def collapsed(self) -> bool:
        """Whether the last samples were (nearly) all equal."""
        evaluations = self.metric.get("evaluations", [])
        return bool(evaluations and evaluations[-1].get("degenerate"))

    @property
    def trained_s(self) -> dict[int, float]:
        """Training time in seconds at every evaluation, by step; for a member of a pack, that of the whole pack."""
        return trained_s(self.record)


@dataclass(frozen=True)
class RunTable:
    """Runs that are compared in one table.

    Args:
        key: what the title of the table states.
        note: settings in which it differs from other tables with the same title, as ` (precision=bf16)`; else empty.
        runs: its runs.
    """

    key: tuple[Any, ...]
    note: str
    runs: list[Run]


def read(directory: Path) -> list[Run]:
    """Return the completed and diverged runs of a sweep. Unreadable records are omitted; the sweep reports them."""
    runs = []
    for cell in records.directories(directory):
        try:
            record = records.read(cell)
        except records.UnreadableRecord:
            continue
        if record is not None and record["state"] != "failed":
            runs.append(Run(cell, record))
    return runs


def grouped(runs: Iterable[Run], by: Callable[[Run], Key]) -> dict[Key, list[Run]]:
    """Return runs by the value of a function, in order of first appearance."""
    groups: dict[Key, list[Run]] = {}
    for run in runs:
        groups.setdefault(by(run), []).append(run)
    return groups


def tables(
    runs: Sequence[Run],
    title: Callable[[Run], tuple[Any, ...]],
    entry: Callable[[Run], Hashable],
    varied: Collection[str],
) -> Iterator[RunTable]:
    """Yield the tables of a paper. Runs of one entry of a table differ only in the seed, so they may be averaged.

    Everything else that identifies a training is the same in a whole table: settings, content of the data, code,
    version of the arithmetic, and metric fingerprint. Only the settings that define the entries differ between them.

    Args:
        runs: runs of an experiment.
        title: what the title of a table states.
        entry: row and column of a run.
        varied: settings that differ between entries, by path in the identity; `config.loss` includes all its
            settings.
    """
    for key, group in grouped(runs, title).items():
        identities = _identities(group)
        entries = list(map(entry, group))
        separating: list[str] = []
        num_tables = 1
        for name in dict.fromkeys(name for settings in identities for name in settings):
            parts = {tuple(map(settings.get, [*separating, name])) for settings in identities}
            if len(parts) > num_tables and (not _inside(name, varied) or _differs_within(name, entries, identities)):
                separating.append(name)
                num_tables = len(parts)
        tables: dict[tuple[str | None, ...], list[Run]] = {}
        for run, settings in zip(group, identities, strict=True):
            tables.setdefault(tuple(map(settings.get, separating)), []).append(run)
        for values, part in tables.items():
            yield RunTable(key, _note(separating, values), part)


def _identities(runs: Sequence[Run]) -> list[dict[str, str]]:
    """Return what identifies the training and the metric of every run, except the seed, by dotted path.

    A setting of the discriminator that is equal to that of the generator is omitted. A run without a metric has the
    fingerprint of a run with the same data and metric settings.
    """
    identities, fingerprints, same = [], {}, []
    for run in runs:
        identity = run.record.get("identity") or {}
        config = dict(identity.get("config", {}))
        config.pop("seed", None)
        for key, fallback in FALLBACKS.items():
            if key in config and config[key] == config.get(fallback):
                del config[key]
        identities.append(_flat({**identity, "config": config}))
        same.append(json.dumps([identity.get("data"), *map(config.get, ("data", "metric", "metric_2"))]))
        if run.metric:
            fingerprints.setdefault(same[-1], []).append(_fingerprints(run))
    return [
        settings | (_fingerprints(run) if run.metric else fingerprints.get(key, [{}])[0])
        for run, key, settings in zip(runs, same, identities, strict=True)
    ]


def _fingerprints(run: Run) -> dict[str, str]:
    """Return the fingerprints of the metric and the second metric, by dotted path."""
    fields = {name: (run.record.get(name) or {}).get("fingerprint") or {} for name in ("metric", "metric_2")}
    return _flat(
        {name: {key: value for key, value in part.items() if key not in OF_TRAINING} for name, part in fields.items()}
    )


def _flat(node: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in node.items():
        inner = _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": plain(value)}
        flat.update(inner)
    return flat


def _inside(name: str, settings: Iterable[str]) -> bool:
    return any(name == setting or name.startswith(f"{setting}.") for setting in settings)


def _differs_within(name: str, entries: Iterable[Hashable], identities: Sequence[Mapping[str, str]]) -> bool:
    values: dict[Hashable, set[str | None]] = {}
    for entry, settings in zip(entries, identities, strict=True):
        values.setdefault(entry, set()).add(settings.get(name))
    return any(len(distinct) > 1 for distinct in values.values())


def _note(names: Sequence[str], values: Sequence[str | None]) -> str:
    shown = [
        f"{name.removeprefix('config.')}={'not set' if value is None else value[:LONGEST_SHOWN]}"
        for name, value in zip(names, values, strict=True)
    ]
    return f" ({', '.join(shown)})" if shown else ""
