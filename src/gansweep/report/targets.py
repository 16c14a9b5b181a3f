"""Report section: steps to target and performance profiles over all tasks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from gansweep.formatting import number
from gansweep.plot_curves import separated
from gansweep.plot_style import grid_lines, key, legend, line, panels, styled
from gansweep.report import charts
from gansweep.report.plot_axes import PlotAxes
from gansweep.report.verdict import Verdict
from gansweep.results.configuration import Configuration
from gansweep.section import Block, Chart, Paragraph, Picture, Section, Table
from gansweep.statistics.performance_profile import profile, score, time_to_target
from gansweep.sweep.cell import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PROFILES = "Performance profiles: tasks solved within a multiple of the fastest method's steps"
MAX_RATIO = 4.0  # where AlgoPerf's score ends
TAUS = np.geomspace(1, 2 * MAX_RATIO, 400)
TAU = "steps to target / steps of the fastest method"


@dataclass(frozen=True)
class Targets:
    """Steps to target of every method and task.

    Args:
        methods: names of the methods.
        times: steps (methods, tasks); inf where the target is not reached. A task is one seed of one panel.
        goals: the target values by panel.
        without: panels without a target, because no method's mean is better than all untrained generators.
        num_evaluations: largest number of evaluations of a compared run after step 0.
        incomplete: methods without a finished run of some task.
    """

    methods: list[str]
    times: np.ndarray
    goals: dict[str, float]
    without: list[str]
    num_evaluations: int = 0
    incomplete: Sequence[str] = ()


def targets(verdict: Verdict) -> Targets | None:
    """Return the steps to target of each method at its best rate; None if fewer than two methods have values.

    The target of a panel is the median of the methods' means at their best rates. Only means that are strictly better
    than the untrained value of every compared run count. Therefore no run meets the target at step 0, and about half
    of these methods reach it.
    """
    leaderboard, layout = verdict.leaderboard, PlotAxes.of(verdict.leaderboard)
    if layout.method is None:
        return None
    ranks = {id(leaderboard.configurations[place]): rank for rank, place in enumerate(verdict.order)}
    columns, goals, without, num_evaluations = [], {}, [], 0
    ran: list[list[bool]] = []  # (tasks, methods)
    for title, inside in layout.panels():
        best = [_best(layout.with_method(inside, method), ranks) for method in layout.methods]
        means = [leaderboard.sign * one.estimate.mean for one in best if one is not None and one.estimate.n]
        if len(means) < 2:
            continue
        untrained = [leaderboard.sign * value for one in best if one is not None for value in one.untrained]
        means = [mean for mean in means if mean < min(untrained, default=math.inf)]
        if not means:
            without.append(title)
            continue
        goal = float(np.median(means))
        goals[title] = leaderboard.sign * goal
        runs = [run for one in best if one is not None for run in one.runs.values()]
        num_evaluations = max(num_evaluations, *(sum(step > 0 for step in run.values()) for run in runs))
        seeds = list(dict.fromkeys(seed for one in best if one is not None for seed in one.scores))
        ran += [[one is not None and seed in one.scores for one in best] for seed in seeds]
        columns += [[_time(one, seed, goal, leaderboard.sign) for one in best] for seed in seeds]
    if not columns and not without:
        return None
    times = np.array(columns).T if columns else np.empty((len(layout.methods), 0))
    names = [layout.label(method) for method in layout.methods]
    incomplete = [name for place, name in enumerate(names) if not all(task[place] for task in ran)]
    return Targets(names, times, goals, without, num_evaluations, incomplete)


def section(verdict: Verdict) -> Section | None:
    """Return the section; None if there is nothing to compare."""
    found = targets(verdict)
    if found is None:
        return None
    name = verdict.leaderboard.metric_label
    none = f"No target, because no mean {name} is better than that of every untrained generator"
    if not found.goals:
        return Section("Steps to target", [Paragraph(f"{none}.")])
    goals = "; ".join(f"{f'{title}: ' if title else ''}{number(goal)}" for title, goal in found.goals.items())
    ends = f"; {verdict.leaderboard.references}" if verdict.leaderboard.references else ""
    text = (
        f"Steps until {name} first reaches the target ({goals}{ends}), each method at its best rate. "
        "The rate was chosen on the same runs, which biases all methods in the same direction. A task is one seed. "
        "The target is the median of the methods' means that are better than every untrained generator. "
        "Column reached: number of tasks in which the method reaches it. Column score: AlgoPerf's, "
        f"the mean height of the performance profile between 1 and {MAX_RATIO:g} times the fastest "
        "(Dolan and Moré 2002; Dahl et al. 2023)."
    )
    if found.incomplete:
        names = ", ".join(found.incomplete)
        text += f" Methods without a finished run of some task, which count as not reaching the target there: {names}."
    if found.num_evaluations == 1:
        text += (
            " Every run was evaluated once after step 0, so the steps are the length of the training and do not show "
            "which method is faster: train with a smaller trainer.eval_every."
        )
    if found.without:
        text += f" {none}: {'; '.join(found.without)}."
    head = [PlotAxes.of(verdict.leaderboard).method or "", "median steps to target", "reached", "score"]
    blocks: list[Block] = [Paragraph(text), Table(head, _rows(found))]
    if found.times.shape[1] > 2:
        chart = Chart("lines", partial(profiles_lines, found))
        blocks.append(Picture(PROFILES, partial(profiles_picture, found), chart, name="steps_to_target"))
    return Section("Steps to target", blocks)


def _rows(found: Targets) -> list[list[str]]:
    """Return method, median steps, number of reached targets and score, best score first."""
    scores, tasks = score(found.times, MAX_RATIO), found.times.shape[1]
    rows = []
    for place in np.argsort(-scores, kind="stable"):
        times = found.times[place]
        median, reached = float(np.median(times)), int(np.isfinite(times).sum())
        steps = f"{median:.0f}" if math.isfinite(median) else "never"
        rows.append([found.methods[place], steps, f"{reached} of {tasks}", f"{scores[place]:.2f}"])
    return rows


def profiles_lines(found: Targets) -> dict[str, Any]:
    """Return what `profiles_picture` draws, as options of the chart `lines`."""
    heights = profile(found.times, TAUS)
    lines = [charts.line(name, TAUS.tolist(), own.tolist()) for name, own in zip(found.methods, heights, strict=True)]
    return {"panels": [{"lines": lines}], "x": TAU, "x_log": True, "y": "share of tasks solved", "log": False}


def profiles_picture(found: Targets) -> Figure:
    """Draw the share of tasks that a method solves within tau times the steps of the fastest method.

    The lines of equal methods are drawn side by side, at most 2 % from their share.

    Performance profiles, Dolan and Moré 2002.
    """
    from matplotlib.ticker import FuncFormatter, PercentFormatter

    styles = [line(n) for n in range(len(found.methods))]
    with styled():
        figure, (axis,) = panels(1, 1, "", (5.6, 3.2))
        for heights, style in zip(separated(profile(found.times, TAUS)), styles, strict=True):
            axis.step(TAUS, heights, where="post", **style, linewidth=1.6)
        axis.set_xscale("log")
        axis.set_xticks([1, 2, 4, 8], minor=False)
        axis.set_xticks([1.5, 3, 6], minor=True)
        axis.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        axis.xaxis.set_minor_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        axis.set(xlabel=TAU, ylabel="tasks solved", ylim=(-0.04, 1.04))
        axis.set_xlim(0.97, 2 * MAX_RATIO)
        axis.yaxis.set_major_formatter(PercentFormatter(1.0))
        grid_lines(axis)
        legend(figure, [key(name, **style, lw=1.6) for name, style in zip(found.methods, styles, strict=True)])
    return figure


def _best(own: list[Configuration], ranks: dict[int, int]) -> Configuration | None:
    return min((one for one in own if id(one) in ranks), key=lambda one: ranks[id(one)], default=None)


def _time(one: Configuration | None, seed: str, goal: float, sign: int) -> float:
    result: Result | None = one.runs.get(seed) if one else None
    if result is None or not result.metric:
        return math.inf
    pairs = [(e["step"], sign * e["value"]) for e in result.metric["evaluations"] if e.get("value") is not None]
    return time_to_target([step for step, _ in pairs], [value for _, value in pairs], goal)
