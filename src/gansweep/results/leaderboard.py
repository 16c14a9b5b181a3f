"""Configurations of a sweep: comparable ones in one leaderboard, the runs of current code, and their pivot.

A run without a value, such as a diverged one, has NaN here and is printed as N/A.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

from gansweep.formatting import metric_label, number
from gansweep.results.configuration import FINAL, Configuration, Selected, select
from gansweep.section import Entry, Table
from gansweep.sweep.cell import Result, State
from gansweep.sweep.identity import plain
from gansweep.sweep.metric_groups import comparable, fixed_keys, labels
from gansweep.sweep.sweep_keys import SEED, SEEDS, is_number, order, swept_keys, value

WIDEST = 8  # columns of values


@dataclass(frozen=True)
class Leaderboard:
    """The configurations whose metric has the same fingerprint, so that their values are comparable.

    Args:
        keys: the varied settings, without those repeated over.
        repeated: the varied keys that runs are averaged over.
        configurations: in grid order.
        how: `final` or `best`.
        levels: the values of every varied setting, sorted if they are numbers.
        label: what distinguishes it from the other leaderboards of the sweep; empty if there is only one.
        fixed: settings that the sweep varies and that are equal for all runs of this leaderboard.
        omitted: note on runs that are not shown, empty if all are.
    """

    keys: tuple[str, ...]
    repeated: tuple[str, ...]
    configurations: tuple[Configuration, ...]
    how: str
    levels: Mapping[str, Sequence[Any]]
    label: str = ""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    omitted: str = ""

    @property
    def results(self) -> list[Result]:
        """All runs."""
        return [run for configuration in self.configurations for run in configuration.runs.values()]

    @cached_property
    def metric(self) -> Mapping[str, Any]:
        """The metric entry of the first measured run's record; empty if nothing was measured."""
        return next((result.metric for result in self.results if result.metric), {})

    @property
    def metric_name(self) -> str:
        """Name of the metric."""
        return str(self.metric.get("name", "result"))

    @property
    def metric_label(self) -> str:
        """Name of the metric in texts and figures."""
        return metric_label(self.metric_name)

    @cached_property
    def untrained(self) -> float | None:
        """Mean value of the untrained generators of all runs; None if none was measured."""
        values = [value for one in self.configurations for value in one.untrained]
        return statistics.fmean(values) if values else None

    @property
    def ends(self) -> tuple[float | None, float | None]:
        """The two ends of the metric's scale: value of untrained generators, and of real against real samples."""
        return self.untrained, self.metric.get("floor")

    @property
    def references(self) -> str:
        """The two ends of the metric's scale as text, for example `untrained 400.0, real against real 3.10`."""
        ends = zip(("untrained", "real against real"), self.ends, strict=True)
        return ", ".join(f"{name} {number(value)}" for name, value in ends if value is not None)

    @property
    def sign(self) -> int:
        """1 where lower is better, -1 where higher is better."""
        return 1 if self.metric.get("lower_is_better", True) else -1

    @property
    def optimistic(self) -> bool:
        """Whether some values are the best of several evaluations on the same latents, which biases them."""
        return any(
            value.optimistic for configuration in self.configurations for value in configuration.selected.values()
        )

    @cached_property
    def seed_levels(self) -> dict[str, tuple[int, ...]]:
        """Seeds of every kind of each run, by the seed's name; empty unless several kinds of seeds were varied."""
        return {seed: levels for one in self.configurations for seed, levels in one.levels.items()}

    def values(self, key: str) -> list[Any]:
        """Return the distinct values of a setting, in order."""
        return list(self.levels[key])

    def sorted(self, keys: Sequence[str]) -> list[Configuration]:
        """Return the configurations sorted by the first of some keys, then by the second, ..."""
        ranks = {key: [_mark(level) for level in self.levels[key]] for key in keys}

        def rank(configuration: Configuration) -> list[int]:
            return [ranks[key].index(_mark(configuration.settings[key])) for key in keys]

        return sorted(self.configurations, key=rank)

    def find(self, settings: Mapping[str, Any]) -> Configuration | None:
        """Return the configuration with these settings, or None."""
        return self._by_settings.get(_mark(settings))

    @cached_property
    def _by_settings(self) -> dict[str, Configuration]:
        return {_mark(configuration.settings): configuration for configuration in self.configurations}


def leaderboards(
    results: Sequence[Result],
    how: str = FINAL,
    group: Sequence[str] = SEEDS,
    code: Mapping[str, str] = MappingProxyType({}),
) -> list[Leaderboard]:
    """Divide the cells of a sweep into comparable groups, and each group into configurations.

    Runs of other versions of edited code are left out; see `current_code`.

    Args:
        results: the cells.
        how: evaluation that runs are compared by, `final` or `best`.
        group: keys that runs of one configuration may differ in.
        code: current hashes of edited or own modules, as `Sweep.code`.

    Raises:
        ValueError: a key of `group` was not varied.
    """
    shown, omitted = current_code(results, code)
    varied = swept_keys([result.cell for result in shown])
    for key in group:
        if key not in (*SEEDS, *varied):
            raise ValueError(f"--group {key}: not a varied setting, expected some of {', '.join(varied) or SEED}")
    groups = comparable(shown)
    if len(groups) == 1:
        return [replace(leaderboard(shown, how, group, varied), omitted=omitted)]
    return [
        replace(leaderboard(runs, how, group), label=label, fixed=fixed, omitted=omitted)
        for runs, label, fixed in zip(groups, labels(groups), fixed_keys(groups), strict=True)
    ]


def leaderboard(
    results: Sequence[Result], how: str = FINAL, group: Sequence[str] = SEEDS, swept: Sequence[str] | None = None
) -> Leaderboard:
    """Return the configurations of comparable cells; arguments as in `leaderboards`.

    `swept` is the result of `swept_keys` for these cells, if it is known.
    """
    swept = swept_keys([result.cell for result in results]) if swept is None else swept
    keys = tuple(key for key in swept if key not in group)
    repeated = tuple(key for key in swept if key in group) or (SEED,)
    kinds = [key for key in repeated if key in SEEDS]
    runs: dict[str, dict[str, Result]] = {}
    settings: dict[str, dict[str, Any]] = {}
    for result in results:
        varied = {key: value(result.cell, key) for key in keys}
        settings[_mark(varied)] = varied
        seed = ",".join(plain(value(result.cell, key)) for key in repeated)
        runs.setdefault(_mark(varied), {})[seed] = result
    levels = {key: order([varied[key] for varied in settings.values()]) for key in keys}
    configurations = tuple(_configuration(settings[mark], by_seed, how, kinds) for mark, by_seed in runs.items())
    unsorted = Leaderboard(keys, repeated, configurations, how, levels)
    return replace(unsorted, configurations=tuple(unsorted.sorted(keys)))


def _configuration(
    settings: Mapping[str, Any], runs: Mapping[str, Result], how: str, kinds: Sequence[str]
) -> Configuration:
    ended = {
        seed: select(result.metric, how) if result.metric else Selected(math.nan)
        for seed, result in runs.items()
        # A completed run without a metric was configured without one.
        if result.state is State.DIVERGED or (result.state is State.COMPLETED and result.metric)
    }
    levels: dict[str, tuple[int, ...]] = {}
    if len(kinds) > 1:
        levels = {seed: tuple(int(value(result.cell, key)) for key in kinds) for seed, result in runs.items()}
    return Configuration(settings, runs, ended, levels)


def _mark(settings: Any) -> str:
    return json.dumps(settings, sort_keys=True)


def current_code(results: Sequence[Result], code: Mapping[str, str]) -> tuple[list[Result], str]:
    """Return one run of each set of runs that differ only in the version of the same modules, and a note on the rest.

    It is the run of the current version. A set without one is represented by its last finished run, and the note counts
    it. Runs keep the order in which their sets first appear. The note is empty if every run is shown and current.

    Args:
        results: the cells.
        code: current hashes of modules, by name; for the other modules those of the last finished run are current.
    """
    by_time = sorted(results, key=_finished)  # stable
    current = {name: version for run in by_time for name, version in _code(run).items()}
    current.update(code)

    def is_current(run: Result) -> bool:
        return all(current[name] == version for name, version in _code(run).items())

    versions: dict[str, list[Result]] = {}
    for place, run in enumerate(results):
        identity = run.cell.identity | {"code": sorted(_code(run))}
        versions.setdefault(json.dumps(identity, sort_keys=True) if _code(run) else str(place), []).append(run)
    shown = [sorted(runs, key=lambda run: (is_current(run), _finished(run)))[-1] for runs in versions.values()]
    left_out, earlier = len(results) - len(shown), sum(not is_current(run) for run in shown)
    notes = []
    if left_out:
        notes.append(f"{_runs(left_out)} of other versions of edited code left out; results.csv lists all runs")
    if earlier:
        notes.append(f"{_runs(earlier)} shown of an earlier version of edited code, not trained with the current one")
    return shown, "; ".join(notes)


def _code(run: Result) -> Mapping[str, str]:
    return run.cell.identity.get("code") or {}


def _finished(run: Result) -> str:
    """Return the time when a run ended, sortable; empty if it has not."""
    return str(((run.record or {}).get("time") or {}).get("finished") or "")


def _runs(count: int) -> str:
    return f"{count} run{'s' if count > 1 else ''}"


def pivot(
    leaderboard: Leaderboard,
    values: Mapping[str, Callable[[Configuration | None], Entry]],
    only: tuple[str, str],
    rows: Sequence[str] = (),
    across: str | None = None,
) -> Table:
    """Return the settings of all configurations as rows and columns, with a value in each field.

    Varied settings that are in neither `rows` nor `across` become rows too.

    Args:
        leaderboard: the configurations.
        values: what is shown of a configuration, or of None where it does not exist, by heading. Without a setting
            as columns each is a column; otherwise only the first is shown.
        only: heading and label of the row if no setting varies.
        rows: keys of the rows, in this order.
        across: key of the columns; None takes the last key with at most eight values, if there are two keys or more.
    """
    left = [key for key in leaderboard.keys if key not in rows and key != across]
    if across is None and len(rows) < len(leaderboard.keys) and len(leaderboard.keys) > 1:
        across = next((key for key in reversed(left) if len(leaderboard.values(key)) <= WIDEST), None)
    down = [*rows, *(key for key in left if key != across)]
    if across is None:
        fields = [({}, show) for show in values.values()]
        head = [*(down or only[:1]), *values]
    else:
        show = next(iter(values.values()))
        fields = [({across: value}, show) for value in leaderboard.values(across)]
        head = [*down, *(f"{across}={plain(value)}" for value in leaderboard.values(across))]
    num_labels = len(head) - len(fields)
    body = []
    combinations = {json.dumps([one.settings[key] for key in down]): one.settings for one in leaderboard.sorted(down)}
    for settings in combinations.values():
        labels = [label(settings[key]) for key in down] or [Entry(only[1])][:num_labels]
        body.append([*labels, *(show(leaderboard.find({**settings, **column})) for column, show in fields)])
    return Table(head, body, num_labels=num_labels)


def label(value: Any) -> Entry:
    """Return the entry of a setting; numbers sort numerically."""
    return Entry(plain(value), float(value) if is_number(value) else None)
