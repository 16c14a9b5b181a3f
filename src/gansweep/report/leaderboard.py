"""Configurations of a sweep, grouped into comparable tables, with the values of their seeds."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from gansweep.report.selection import Selected, select
from gansweep.statistics.estimate import Estimate, estimate
from gansweep.statistics.improvement import no_better_than_untrained
from gansweep.sweep.cell import State
from gansweep.sweep.identity import plain
from gansweep.sweep.metric_groups import comparable, fixed_keys, labels
from gansweep.sweep.result import Result
from gansweep.sweep.sweep_keys import SEED, order, swept_keys, value


@dataclass(frozen=True)
class Candidate:
    """One configuration: a combination of all varied settings except the seed.

    Args:
        settings: by key, in canonical form.
        runs: results by the value of the repeated key, usually the seed.
        selected: the selected evaluation of each measured run; NaN is N/A.
    """

    settings: Mapping[str, Any]
    runs: Mapping[str, Result]
    selected: Mapping[str, Selected]

    @property
    def name(self) -> str:
        """The settings as `key=value, ...`."""
        return ", ".join(f"{key}={plain(one)}" for key, one in self.settings.items()) or "the only configuration"

    @cached_property
    def scores(self) -> dict[str, float]:
        """Value of every finished run by seed; NaN where the run has none."""
        return {seed: one.value for seed, one in self.selected.items()}

    @cached_property
    def estimate(self) -> Estimate:
        """Mean over the runs that have a value, with its 95 % interval."""
        return estimate(list(self.scores.values()))

    @cached_property
    def untrained(self) -> list[float]:
        """Values of the runs before the first step."""
        return [run.untrained for run in self.runs.values() if run.untrained is not None]

    @cached_property
    def is_no_better_than_untrained(self) -> bool:
        """Whether the mean value is no better than the mean of the same runs before the first step."""
        lower = all(run.lower_is_better for run in self.runs.values())
        pairs = [(one.value, self.runs[seed].untrained) for seed, one in self.selected.items()]
        return no_better_than_untrained(pairs, lower)

    def count(self, *states: State) -> int:
        """Return the number of runs in one of these states."""
        return sum(result.state in states for result in self.runs.values())

    @property
    def num_failed(self) -> int:
        """Number of runs that raised an error. They count neither as values nor as N/A."""
        return self.count(State.FAILED)

    @property
    def num_diverged(self) -> int:
        """Number of runs that diverged, whether or not they have a value from before."""
        return self.count(State.DIVERGED)

    @property
    def num_missing(self) -> int:
        """Number of runs that have not finished."""
        return self.count(State.NEW, State.RESUMABLE, State.CLAIMED)


@dataclass(frozen=True)
class Contest:
    """The candidates whose metric has the same fingerprint, so that their values are comparable.

    Args:
        keys: the varied settings, without those repeated over.
        repeated: the varied keys that runs are averaged over.
        candidates: in grid order.
        how: `final` or `best`.
        label: what distinguishes it from the other contests of the sweep; empty if there is only one.
        fixed: settings that the sweep varies and that are equal for all candidates of this contest.
    """

    keys: tuple[str, ...]
    repeated: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    how: str
    label: str = ""
    fixed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def results(self) -> list[Result]:
        """All runs."""
        return [result for one in self.candidates for result in one.runs.values()]

    @cached_property
    def metric(self) -> Mapping[str, Any]:
        """The metric entry of the first measured run's record; empty if nothing was measured."""
        return next((result.metric for result in self.results if result.metric), {})

    @property
    def metric_name(self) -> str:
        """Name of the metric."""
        return str(self.metric.get("name", "result"))

    @property
    def sign(self) -> int:
        """1 where lower is better, -1 where higher is better."""
        return 1 if self.metric.get("lower_is_better", True) else -1

    @property
    def optimistic(self) -> bool:
        """Whether some values are the best of several evaluations on the same latents, which biases them."""
        return any(one.optimistic for candidate in self.candidates for one in candidate.selected.values())

    def values(self, key: str) -> list[Any]:
        """Return the distinct values of a setting, in order."""
        return order([one.settings[key] for one in self.candidates])

    def find(self, settings: Mapping[str, Any]) -> Candidate | None:
        """Return the candidate with these settings, or None."""
        return self._by_settings.get(_mark(settings))

    @cached_property
    def _by_settings(self) -> dict[str, Candidate]:
        return {_mark(one.settings): one for one in self.candidates}


def contests(results: Sequence[Result], how: str = "final", group: Sequence[str] = (SEED,)) -> list[Contest]:
    """Divide the cells of a sweep into comparable groups, and each group into candidates.

    Args:
        results: the cells.
        how: evaluation that runs are compared by, `final` or `best`.
        group: keys that runs of one candidate may differ in.

    Raises:
        ValueError: a key of `group` was not varied.
    """
    varied = swept_keys([result.cell for result in results])
    for key in group:
        if key not in (SEED, *varied):
            raise ValueError(f"--group {key}: not a varied setting, expected some of {', '.join(varied) or SEED}")
    groups = comparable(results)
    if len(groups) == 1:
        return [_contest(results, how, group)]
    labelled = zip(groups, labels(groups), fixed_keys(groups), strict=True)
    return [
        replace(_contest(group_, how, group), label=label, fixed={k: v for k, v in fixed.items() if k not in group})
        for group_, label, fixed in labelled
    ]


def _contest(results: Sequence[Result], how: str, group: Sequence[str]) -> Contest:
    swept = swept_keys([result.cell for result in results])
    keys = tuple(key for key in swept if key not in group)
    repeated = tuple(key for key in swept if key in group) or (SEED,)
    runs: dict[str, dict[str, Result]] = {}
    settings: dict[str, dict[str, Any]] = {}
    for result in results:
        varied = {key: value(result.cell, key) for key in keys}
        mark = _mark(varied)
        settings[mark] = varied
        seed = ",".join(plain(value(result.cell, key)) for key in repeated)
        runs.setdefault(mark, {})[seed] = result
    candidates = [_candidate(settings[mark], by_seed, how) for mark, by_seed in runs.items()]
    ranks = {key: [json.dumps(v) for v in order([one.settings[key] for one in candidates])] for key in keys}
    candidates.sort(key=lambda one: [ranks[key].index(json.dumps(one.settings[key])) for key in keys])
    return Contest(keys, repeated, tuple(candidates), how)


def _candidate(settings: Mapping[str, Any], runs: Mapping[str, Result], how: str) -> Candidate:
    ended = {
        seed: select(result.metric, how) if result.metric else Selected(math.nan)
        for seed, result in runs.items()
        # A completed run without a metric was configured without one.
        if result.state is State.DIVERGED or (result.state is State.COMPLETED and result.metric)
    }
    return Candidate(settings, runs, ended)


def _mark(settings: Mapping[str, Any]) -> str:
    return json.dumps(settings, sort_keys=True)
