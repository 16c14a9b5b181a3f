"""Survival curves: share of runs that have not diverged, and the causes of divergence."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from gansweep.plot_style import panels, styled
from gansweep.report.pictures import marks
from gansweep.report.plot_axes import Roles
from gansweep.report.verdict import Verdict
from gansweep.statistics.survival import survival
from gansweep.sweep.cell import State
from gansweep.sweep.result import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_LINES = 10


def survival_picture(verdict: Verdict) -> Figure:
    """Draw the share of runs that have not diverged over steps, and the causes of divergence, by rate or method."""
    from matplotlib.lines import Line2D
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    roles = Roles.of(verdict.contest)
    key = roles.rate or roles.method
    groups: dict[str, list[Result]] = {}
    for value in verdict.contest.values(key) if key else [None]:
        own = [one for one in verdict.contest.candidates if key is None or one.settings[key] == value]
        ended = [r for one in own for r in one.runs.values() if r.state in (State.COMPLETED, State.DIVERGED)]
        if ended:
            groups[f"{value:g}" if isinstance(value, (int, float)) else str(value or "all")] = ended
    colours = dict(zip(groups, marks.shades(len(groups)), strict=True))
    with styled():
        figure, (left, right) = panels(2, 2, "", (4.0, 3.1))
        last = max(run_steps(result) for own in groups.values() for result in own)
        drawn = _drawn_groups(groups)
        for n, label in enumerate(drawn):
            own = groups[label]
            at, height = survival([run_steps(r) for r in own], [r.state is State.DIVERGED for r in own])
            left.step([*at, last], [*height, height[-1]], where="post", color=colours[label], lw=1.6,
                      linestyle=marks.LINES[n % 4] if not roles.rate else "-")  # fmt: skip
        left.set(xlabel="step (generator updates)", ylabel="runs not diverged", ylim=(-0.03, 1.03))
        left.set_xlim(0, max(last, 1))
        left.yaxis.set_major_formatter(PercentFormatter(1.0))
        left.locator_params(axis="x", nbins=5)
        marks.grid(left)
        causes = Counter(cause(result) for own in groups.values() for result in own if result.state is State.DIVERGED)
        bottom, handles = [0] * len(groups), []
        for n, (name, _) in enumerate(causes.most_common()):
            heights = [sum(r.state is State.DIVERGED and cause(r) == name for r in own) for own in groups.values()]
            right.bar(range(len(groups)), heights, bottom=bottom, color=marks.COLOURS[n % 6], width=0.75,
                      edgecolor="white", linewidth=0.6, hatch=("", "///", "...", "xxx")[n // 6 % 4])  # fmt: skip
            bottom = [a + b for a, b in zip(bottom, heights, strict=True)]
            handles.append(
                Line2D([], [], color=marks.COLOURS[n % 6], marker="s", linestyle="", markersize=6, label=name)
            )
        right.set(xlabel=marks.RATE_NAMES.get(key or "", key or ""), ylabel="diverged runs")
        crowded = len(groups) > 6 or max(map(len, groups)) > 6
        right.set_xticks(
            range(len(groups)), list(groups), rotation=45 if crowded else 0, ha="right" if crowded else "center"
        )
        right.yaxis.set_major_locator(MaxNLocator(integer=True))
        marks.grid(right)
        lines: list[Any] = [
            Line2D([], [], color=colours[label], linewidth=1.6, label=f"{key}={label}" if key else label)
            for label in drawn
        ]
        # Legends go above the panels, because long group names may be below.
        for axis, own, columns in ((left, lines, 2 if len(lines) > 5 else 1), (right, handles, 1)):
            axis.legend(handles=own, loc="lower left", bbox_to_anchor=(0, 1.01), borderaxespad=0, ncols=columns)
    return figure


def run_steps(result: Result) -> int:
    """Return the number of steps of a run, up to its divergence."""
    record = result.record or {}
    divergence = record.get("divergence") or {}
    return int(divergence.get("step", record.get("steps") or 0))


def cause(result: Result) -> str:
    """Return the player and the cause of a divergence, for example `discriminator: loss is nan`."""
    divergence = (result.record or {}).get("divergence") or {}
    return f"{divergence.get('player')}: {divergence.get('cause')}"


def _drawn_groups(groups: dict[str, list[Result]]) -> list[str]:
    """Return the labels of the groups to draw; with many groups, only one group without divergences is kept."""
    diverged = [label for label, runs in groups.items() if any(r.state is State.DIVERGED for r in runs)]
    if len(groups) <= MOST_LINES:
        return list(groups)
    sound = [label for label in groups if label not in diverged]
    return sorted([*sound[-1:], *diverged[-MOST_LINES:]], key=list(groups).index)
