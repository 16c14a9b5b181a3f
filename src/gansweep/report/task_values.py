"""Values of all methods on all tasks, with their normalised scores and mean ranks."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np

from gansweep.formatting import metric_label
from gansweep.report.verdict import LEVEL, Verdict
from gansweep.results.configuration import Configuration
from gansweep.statistics.crossed_seeds import factors
from gansweep.statistics.tasks import MeanRanks, mean_ranks, normalised
from gansweep.sweep.identity import plain

TASK_KEYS = ("data", "model", "loss")  # settings that define a task if nothing else is requested


class Scale(NamedTuple):
    """Metric of a task, with the two ends of its scale; None if unknown.

    Args:
        metric: name of the metric.
        untrained: mean value of the untrained generators of all compared methods.
        floor: value of real against real samples.
    """

    metric: str
    untrained: float | None
    floor: float | None


@dataclass(frozen=True)
class OverTasks:
    """The values of all methods on all tasks.

    Args:
        keys: the settings that define a task.
        tasks: names of the tasks (N,).
        methods: names of the methods (m,), by mean rank, best first.
        means: mean over the seeds, lower is better (N, m); NaN if a run has no value or it is no better than untrained.
        scores: normalised scores of the runs, by method, then by task.
        ranks: mean ranks with their tests; its arrays are in the order of the methods.
        num_left_out: number of methods without a finished run on some task.
        without_floor: tasks whose metric has no value for real samples.
        crossed: factors of crossed seeds of the runs, as `scores`; see `crossed_seeds.factors`.
        scales: metric of every task.
    """

    keys: tuple[str, ...]
    tasks: list[str]
    methods: list[str]
    means: np.ndarray
    scores: list[list[np.ndarray]]
    ranks: MeanRanks
    num_left_out: int
    without_floor: list[str]
    crossed: list[list[np.ndarray]]
    scales: list[Scale]

    @property
    def is_better(self) -> np.ndarray:
        """Whether each method has no N/A run and is better than untrained on each task, (N, m)."""
        return np.isfinite(self.means)

    @property
    def has_first(self) -> bool:
        """Whether the method with the best mean rank is better than untrained on some task."""
        return bool(self.is_better[:, 0].any())


def over_tasks(verdicts: Sequence[Verdict], keys: Sequence[str] = ()) -> OverTasks | None:
    """Return the methods that have finished runs on all tasks; None with fewer than two tasks or two such methods.

    A task is a combination of the values of `keys`, a method a combination of all other settings.

    Args:
        verdicts: verdicts on all tables.
        keys: the settings that define a task; by default those of `TASK_KEYS` that vary, if another setting varies too.

    Raises:
        ValueError: a key is not varied.
    """
    varied = dict.fromkeys(k for v in verdicts for k in (*v.leaderboard.fixed, *v.leaderboard.keys))
    unknown = next((key for key in keys if key not in varied), None)
    if unknown is not None:
        raise ValueError(f"--tasks {unknown}: not a varied setting, expected some of {', '.join(varied) or 'none'}")
    keys = tuple(keys) or tuple(key for key in varied if key in TASK_KEYS)
    tasks = _by_task(verdicts, keys)
    common = [method for method in next(iter(tasks.values()), {}) if all(method in own for own in tasks.values())]
    if len(tasks) < 2 or len(common) < 2:
        return None
    means = np.array([[_mean(own[method]) for method in common] for own in tasks.values()])
    ranks = mean_ranks(means, LEVEL)
    order = np.argsort(ranks.ranks, kind="stable")
    scores, without_floor = _scores(tasks, common)
    crossed = [[_factors(own[method].configuration) for own in tasks.values()] for method in common]
    return OverTasks(
        keys,
        list(tasks),
        [common[place] for place in order],
        means[:, order],
        [scores[place] for place in order],
        MeanRanks(ranks.ranks[order], ranks.p, ranks.critical_difference, ranks.groups),
        len({method for own in tasks.values() for method in own}) - len(common),
        without_floor,
        [crossed[place] for place in order],
        [_scale([own[method].configuration for method in common]) for own in tasks.values()],
    )


@dataclass(frozen=True)
class _Member:
    """One configuration, with its settings and the sign of its metric."""

    settings: Mapping[str, Any]
    configuration: Configuration
    sign: int


def _by_task(verdicts: Sequence[Verdict], keys: Sequence[str]) -> dict[str, dict[str, _Member]]:
    """Return the configurations with a finished run by the names of task and method.

    Of several tables of one task, which differ in the metric, the largest is used.
    """
    groups: dict[str, list[_Member]] = {}
    for verdict in verdicts:
        of_table: dict[str, list[_Member]] = {}
        board = verdict.leaderboard
        for one in (board.configurations[place] for place in verdict.order):
            settings = {**board.fixed, **one.settings}
            task = _name({key: settings[key] for key in keys if key in settings})
            of_table.setdefault(task, []).append(_Member(settings, one, board.sign))
        for task, members in of_table.items():
            groups[task] = max(groups.get(task, []), members, key=len)
    # A setting that follows from the task, as its metric or number of steps, is not part of the method.
    varied = dict.fromkeys(key for members in groups.values() for key in _varied(members) if key not in keys)
    return {
        task: {_name({key: one.settings[key] for key in varied if key in one.settings}): one for one in members}
        for task, members in groups.items()
    }


def _varied(members: Sequence[_Member]) -> list[str]:
    values: dict[str, set[str]] = {}
    for one in members:
        for name, value in one.settings.items():
            values.setdefault(name, set()).add(json.dumps(value, sort_keys=True))
    return [name for name, distinct in values.items() if len(distinct) > 1]


def _name(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={plain(value)}" for key, value in settings.items())


def _scale(configurations: Sequence[Configuration]) -> Scale:
    metrics = [run.metric for one in configurations for run in one.runs.values() if run.metric]
    untrained = [value for one in configurations for value in one.untrained]
    floor = next((metric["floor"] for metric in metrics if metric.get("floor") is not None), None)
    name = metric_label(str(metrics[0]["name"])) if metrics else ""
    return Scale(name, fmean(untrained) if untrained else None, floor)


def _mean(one: _Member) -> float:
    """Return the mean, lower is better; NaN, which ranks last, if a run is N/A or it is no better than untrained."""
    if one.configuration.is_no_better_than_untrained:
        return math.nan
    return one.sign * float(np.mean(list(one.configuration.scores.values())))


def _factors(one: Configuration) -> np.ndarray:
    """Return the factors of crossed seeds of the runs in `scores`; no column if the runs are independent."""
    levels = [one.levels[seed] for seed in one.scores] if one.levels else []
    return factors(levels) if levels else np.empty((len(one.scores), 0), dtype=np.int64)


def _scores(
    tasks: Mapping[str, Mapping[str, _Member]], methods: Sequence[str]
) -> tuple[list[list[np.ndarray]], list[str]]:
    """Return the normalised scores by method and task, and the tasks without a value for real samples."""
    scores: list[list[np.ndarray]] = [[] for _ in methods]
    without = []
    for task, own in tasks.items():
        members = [own[method] for method in methods]
        floors = [run.metric["floor"] for one in members for run in one.configuration.runs.values()
                  if run.metric.get("floor") is not None]  # fmt: skip
        sign = members[0].sign
        if not floors:
            without.append(task)
            floors = [value for one in members for value in one.configuration.values]
        best = min((sign * floor for floor in floors), default=math.nan)
        for n, one in enumerate(members):
            runs = one.configuration.runs
            untrained = {seed: runs[seed].untrained for seed in one.configuration.scores}
            scores[n].append(np.array([
                0.0 if start is None else normalised(sign * one.configuration.scores[seed], sign * start, best)
                for seed, start in untrained.items()
            ]))  # fmt: skip
    return scores, without
