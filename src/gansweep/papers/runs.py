"""Finished runs of a sweep, divided into the tables of a paper."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from gansweep.config.keys import FALLBACKS
from gansweep.results import frame
from gansweep.sweep.cell import Result, State
from gansweep.sweep.identity import plain
from gansweep.sweep.metric_groups import fingerprint

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")
LONGEST_SHOWN = 40  # characters of a setting in the heading of a table


@dataclass(frozen=True)
class Run(Result):
    """A run that completed or diverged."""

    record: Mapping[str, Any] = field(default_factory=dict)

    @property
    def directory(self) -> Path:
        """Directory of the run."""
        return self.cell.directory

    @property
    def config(self) -> Mapping[str, Any]:
        """The resolved configuration."""
        return self.cell.config

    @property
    def experiment(self) -> str:
        """Name of the experiment; for `mescheder_images/r1` that of the folder."""
        return str(self.cell.overrides.get("experiment", "")).partition("/")[0]

    def choice(self, group: str, default: str = "") -> str:
        """Return the chosen option of a config group without its folder: `r1` for `experiment=mescheder_images/r1`."""
        return str(self.cell.overrides.get(group) or default).rpartition("/")[2]

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
    def metric_name(self) -> str:
        """Name of the metric; "nothing" if nothing was measured."""
        return str(self.metric.get("name", "nothing"))

    @property
    def best(self) -> float | None:
        """Lowest value after step 0; None for a diverged run."""
        values = [value for step, value in self.values().items() if step > 0]
        return None if self.final is None or not values else min(values)

    @property
    def collapsed(self) -> bool:
        """Whether the last samples were (nearly) all equal."""
        return bool(self.evaluations and self.evaluations[-1].get("degenerate"))


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
    """Return the completed and diverged runs of a sweep. Unreadable records are omitted; the report lists them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = list(frame.read(directory))
    return [Run(result.cell, result.state, result.record or {}) for result in results if result.state != State.FAILED]


def grouped(runs: Iterable[Item], by: Callable[[Item], Key]) -> dict[Key, list[Item]]:
    """Return runs, or the rows of their table, by the value of a function, in order of first appearance."""
    groups: dict[Key, list[Item]] = {}
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
    """Return what identifies the training and the metrics of every run, except the seed, by dotted path.

    A setting of the discriminator that is equal to that of the generator is omitted. A run without a metric has the
    fingerprints of a run with the same data and metric settings.
    """
    identities, measured, metrics = [], {}, []
    for run in runs:
        identity = run.cell.identity
        config = {key: value for key, value in identity.get("config", {}).items() if key != "seed"}
        for key, fallback in FALLBACKS.items():
            if key in config and config[key] == config.get(fallback):
                del config[key]
        identities.append(_flat({**identity, "config": config}))
        metrics.append(plain([identity.get("data"), *map(config.get, ("data", "metric", "metric_2"))]))
        if run.metric:
            fingerprints = {metric: fingerprint(run, metric) for metric in ("metric", "metric_2")}
            measured.setdefault(metrics[-1], _flat(fingerprints))
            identities[-1] |= _flat(fingerprints)
    return [measured.get(metric, {}) | settings for metric, settings in zip(metrics, identities, strict=True)]


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
