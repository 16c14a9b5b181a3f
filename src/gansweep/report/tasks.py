"""Report section: methods compared over several tasks, such as data sets, models and losses."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from gansweep.formatting import counted, number
from gansweep.plot_style import FLOOR, grid_lines, key, legend, line, panels, separated, styled
from gansweep.report.verdict import LEVEL, Verdict
from gansweep.results.leaderboard import Configuration
from gansweep.section import Block, Entry, Paragraph, Picture, Section, Table
from gansweep.statistics.crossed_seeds import factors
from gansweep.statistics.tasks import (
    MeanRanks,
    interquartile_mean,
    mean_ranks,
    normalised,
    probability_of_improvement,
    score_profile,
    stratified_interval,
)
from gansweep.sweep.identity import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TASK_KEYS = ("data", "model", "loss")  # settings that define a task if nothing else is requested
MAX_DRAWN = 12


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

    @property
    def has_first(self) -> bool:
        """Whether the method with the best mean rank is better than untrained on some task."""
        return bool(np.isfinite(self.means[:, 0]).any())


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


def section(verdicts: Sequence[Verdict], keys: Sequence[str] = ()) -> Section | None:
    """Return the section; None if there are no tasks to compare over."""
    found = over_tasks(verdicts, keys)
    if found is None:
        return None
    blocks: list[Block] = [Paragraph(" ".join(_sentences(found))), _table(found)]
    if len(found.methods) <= MAX_DRAWN:
        blocks.append(Picture("Mean ranks and critical difference", partial(ranks_picture, found), name="mean_ranks"))
        blocks.append(Picture("Share of runs above a score", partial(profiles_picture, found), name="score_profiles"))
    return Section("Over tasks", blocks)


def _sentences(found: OverTasks) -> list[str]:
    ranks, first = found.ranks, found.methods[0]
    count = len(found.tasks)
    of_keys = f" ({', '.join(found.keys)})" if found.keys else ""
    sentences = [f"{len(found.methods)} methods on {count} tasks{of_keys}: {'; '.join(found.tasks)}."]
    if found.num_left_out:
        sentences.append(f"{counted(found.num_left_out, 'method')} without a finished run on some task left out.")
    sentences.append(f"Friedman's test of equal methods: p = {number(ranks.p)}.")
    equal = [m for m, r in zip(found.methods[1:], ranks.ranks[1:], strict=True) if r == ranks.ranks[0]]
    tie = f", as {'; '.join(equal)}" if equal else ""
    lead = f"{first} has the best mean rank, {ranks.ranks[0]:.2f}{tie}."
    if not found.has_first:
        none = "No method is first: on every task each has an N/A run or is no better than the untrained generator."
        return [*sentences, none, _definitions(ranks)]
    worse = [
        m for m, r in zip(found.methods, ranks.ranks, strict=True) if r - ranks.ranks[0] >= ranks.critical_difference
    ]
    if ranks.p > LEVEL:
        sentences.append(f"{lead} The tasks do not show a difference between the methods.")
    elif worse:
        names = "; ".join(worse) if len(worse) <= 5 else f"{len(worse)} methods"
        sentences.append(f"{lead} It is better than {names} (Nemenyi's test at {LEVEL:.0%}).")
    else:
        sentences.append(
            f"{lead} It is not significantly better than any other method (Nemenyi's test at {LEVEL:.0%})."
        )
    sentences.append(_definitions(ranks))
    if found.without_floor:
        sentences.append(f"Score 1 is the best run where real samples have no value: {'; '.join(found.without_floor)}.")
    return sentences


def _definitions(ranks: MeanRanks) -> str:
    return (
        f"Critical difference of mean ranks: {ranks.critical_difference:.2f}. A method with an N/A run, or no better "
        "than untrained, ranks last on that task. Score: 0 is the untrained generator and 1 real samples; N/A and "
        "worse than untrained are 0. The interval is a bootstrap of the seeds within every task (Demsar 2006; Agarwal "
        "et al. 2021)."
    )


def _table(found: OverTasks) -> Table:
    head = ["method", "mean rank", "score (interquartile mean)", "95 % interval", "P(first is better)"]
    rows = []
    for n, (method, scores) in enumerate(zip(found.methods, found.scores, strict=True)):
        low, high = stratified_interval(interquartile_mean, scores, crossed=[found.crossed[n]])
        better = "-" if n == 0 or not found.has_first else f"{probability_of_improvement(found.scores[0], scores):.0%}"
        rows.append([
            Entry(method, strong=n == 0 and found.has_first and found.ranks.p <= LEVEL),
            Entry(f"{found.ranks.ranks[n]:.2f}", float(found.ranks.ranks[n])),
            f"{interquartile_mean(scores):.3f}",
            f"{low:.3f} to {high:.3f}",
            better,
        ])  # fmt: skip
    return Table(head, rows, "Methods over all tasks, best mean rank first.")


def ranks_picture(found: OverTasks) -> Figure:
    """Draw the mean ranks, with bars that join methods without a significant difference (Demsar 2006, figure 1)."""
    ranks, count = found.ranks, len(found.methods)
    with styled():
        figure, (axis,) = panels(1, 1, "", (6.4, 0.9 + 0.24 * count))
        for n, (method, rank) in enumerate(zip(found.methods, ranks.ranks, strict=True)):
            axis.plot([rank, rank], [0, -n - 1], color="black", linewidth=0.8)
            axis.plot([rank, count + 0.15], [-n - 1, -n - 1], color="black", linewidth=0.8)
            axis.text(count + 0.2, -n - 1, method, va="center", fontsize=8)
        for level, (first, last) in enumerate(ranks.groups):
            height = -0.25 - 0.3 * level
            axis.plot(
                [ranks.ranks[first] - 0.04, ranks.ranks[last] + 0.04], [height, height], color="black", linewidth=3
            )
        axis.errorbar(
            1 + ranks.critical_difference / 2, 0.9, xerr=ranks.critical_difference / 2, color="black", capsize=3
        )
        axis.text(1, 1.15, f"critical difference {ranks.critical_difference:.2f}", fontsize=8)
        axis.set(xlim=(0.8, count + 0.2), ylim=(-count - 0.7, 1.7), xlabel="mean rank (1 is best)", yticks=[])
        axis.set_xticks(range(1, count + 1))
        axis.spines["left"].set_visible(False)
        axis.axhline(0, color="black", linewidth=0.8)
    return figure


def profiles_picture(found: OverTasks) -> Figure:
    """Draw the share of runs above each score, with pointwise 95 % bands (Agarwal et al. 2021, figure 5).

    The lines of equal methods are drawn side by side, at most 2 % from their share.
    """
    from matplotlib.ticker import PercentFormatter

    top = max(1.0, max(float(task.max()) for scores in found.scores for task in scores))
    taus = np.linspace(0, top, 101)
    with styled():
        figure, (axis,) = panels(1, 1, "", (5.6, 3.2))
        heights = separated([score_profile(scores, taus) for scores in found.scores])
        for n, scores in enumerate(found.scores):
            low, high = stratified_interval(
                partial(score_profile, taus=taus), scores, resamples=500, crossed=[found.crossed[n]]
            )
            style = line(n)
            axis.plot(taus, heights[n], linewidth=1.6, **style)
            axis.fill_between(taus, low, high, color=style["color"], alpha=0.15, linewidth=0)
        axis.axvline(1.0, **FLOOR)
        axis.set(xlabel="score (0 untrained, 1 real samples)", ylabel="runs above the score", ylim=(-0.04, 1.04))
        axis.yaxis.set_major_formatter(PercentFormatter(1.0))
        grid_lines(axis)
        legend(figure, [key(name, lw=1.6, **line(n)) for n, name in enumerate(found.methods)])
    return figure
