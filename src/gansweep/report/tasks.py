"""Report section: methods compared over several tasks, such as data sets, models and losses."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from gansweep.formatting import counted, number
from gansweep.plot_curves import separated
from gansweep.plot_style import FLOOR, REFERENCES, UNTRAINED, grid_lines, key, legend, line, panels, styled
from gansweep.report.task_values import OverTasks, over_tasks
from gansweep.report.verdict import LEVEL, Verdict
from gansweep.section import Block, Entry, Paragraph, Picture, Section, Table
from gansweep.statistics.tasks import (
    MeanRanks,
    interquartile_mean,
    probability_of_improvement,
    score_profile,
    stratified_interval,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_DRAWN = 12


def section(verdicts: Sequence[Verdict], keys: Sequence[str] = ()) -> Section | None:
    """Return the section; None if there are no tasks to compare over."""
    found = over_tasks(verdicts, keys)
    if found is None:
        return None
    blocks: list[Block] = [Paragraph(" ".join(_sentences(found))), _table(found), _tasks(found)]
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
    head = [
        "method",
        "mean rank",
        "score (interquartile mean)",
        "95 % interval",
        "P(first is better)",
        "better than untrained",
    ]
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
            f"{int(found.is_better[:, n].sum())} of {len(found.tasks)}",
        ])  # fmt: skip
    return Table(head, rows, "Methods over all tasks, best mean rank first.")


def _tasks(found: OverTasks) -> Table:
    """Return the two ends of the scale of every task."""
    rows = [
        [task, scale.metric, *("-" if end is None else number(end) for end in (scale.untrained, scale.floor))]
        for task, scale in zip(found.tasks, found.scales, strict=True)
    ]
    return Table(["task", "metric", "untrained", "real"], rows, "Scores 0 and 1 of every task.")


def ranks_picture(found: OverTasks) -> Figure:
    """Draw the mean ranks, with bars that join methods without a significant difference (Demsar 2006, figure 1)."""
    ranks, count = found.ranks, len(found.methods)
    with styled():
        figure, (axis,) = panels(1, 1, "", (6.4, 0.9 + 0.24 * count))
        for n, (method, rank) in enumerate(zip(found.methods, ranks.ranks, strict=True)):
            axis.plot([rank, rank], [0, -n - 1], color="black", linewidth=0.8)
            axis.plot([rank, count + 0.15], [-n - 1, -n - 1], color="black", linewidth=0.8)
            none = "" if found.is_better[:, n].any() else ", no better than untrained"
            axis.text(count + 0.2, -n - 1, f"{method}{none}", va="center", fontsize=8)
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
        axis.axvline(0.0, **UNTRAINED)
        axis.axvline(1.0, **FLOOR)
        axis.set(xlabel="score (0 untrained, 1 real samples)", ylabel="runs above the score", ylim=(-0.04, 1.04))
        axis.yaxis.set_major_formatter(PercentFormatter(1.0))
        grid_lines(axis)
        ends = [key(name, **style) for name, style in REFERENCES.items()]
        legend(figure, [*(key(name, lw=1.6, **line(n)) for n, name in enumerate(found.methods)), *ends])
    return figure
