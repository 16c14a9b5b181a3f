"""Report section: divergences by cause and step, and errors."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from gansweep.formatting import counted
from gansweep.plot_style import COLOURS, RATE_NAMES, grid_lines, key, panels, shades, styled
from gansweep.report.divergence_tests import log_rank_tests, run_steps
from gansweep.report.plot_axes import PlotAxes
from gansweep.report.verdict import Verdict
from gansweep.section import Block, List, Paragraph, Picture, Section, Table
from gansweep.statistics.survival import survival
from gansweep.sweep.cell import Result, State

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_LINES, MAX_ERRORS = 10, 10
HATCHES = ("", "///", "...", "xxx")


def section(verdict: Verdict) -> Section | None:
    """Return the section with counts of divergences by cause; None if no run diverged or failed."""
    results = verdict.leaderboard.results
    diverged = [result for result in results if result.state is State.DIVERGED]
    failed = [result for result in results if result.state is State.FAILED]
    blocks: list[Block] = []
    if diverged:
        by_cause: dict[str, list[int]] = {}
        for result in diverged:
            by_cause.setdefault(cause(result), []).append(run_steps(result))
        rows = [
            [name, str(len(steps)), str(min(steps)), f"{statistics.median(steps):g}", str(max(steps))]
            for name, steps in sorted(by_cause.items(), key=lambda item: -len(item[1]))
        ]
        blocks += [
            Paragraph(f"{len(diverged)} of {counted(len(results), 'run')} diverged{_where(verdict)}."),
            Table(["player and cause", "runs", "first step", "median", "last"], rows),
        ]
    if failed:
        files = {r.trouble: f"; traceback in {r.traceback}" if r.traceback else "" for r in reversed(failed)}
        counts = Counter(result.trouble for result in failed).most_common(MAX_ERRORS)
        items = [f"{' '.join(text.split())} ({count}){files[text]}" for text, count in counts]
        blocks += [
            Paragraph(f"{counted(len(failed), 'run')} raised an error (not counted as divergence):"),
            List(items),
        ]
    if diverged and (tests := log_rank_tests(verdict)):
        blocks.append(Paragraph(tests))
    independent = "; counts all runs as independent" if verdict.leaderboard.seed_levels else ""
    if diverged:
        blocks.append(
            Picture(
                f"Runs that have not diverged (band: 95 % interval{independent}), and the causes",
                partial(survival_picture, verdict),
                name="divergences",
            )
        )
    return Section("Divergences", blocks) if blocks else None


def cause(result: Result) -> str:
    """Return the player and the cause of a divergence, for example `discriminator: loss is nan`."""
    divergence = (result.record or {}).get("divergence") or {}
    return f"{divergence.get('player')}: {divergence.get('cause')}"


def _where(verdict: Verdict) -> str:
    layout = PlotAxes.of(verdict.leaderboard)
    if layout.rate is None:
        return ""
    rates = sorted({layout.rate_of(one) for one in verdict.leaderboard.configurations if one.num_diverged})
    return f", from {layout.rate}={rates[0]:g} on" if len(rates) > 1 else f", all at {layout.rate}={rates[0]:g}"


def survival_picture(verdict: Verdict) -> Figure:
    """Draw the share of runs that have not diverged over steps, and the causes of divergence, by rate or method."""
    layout = PlotAxes.of(verdict.leaderboard)
    setting = layout.rate or layout.method
    groups = _groups(verdict, setting)
    lines, causes = _drawn_groups(groups), Counter(map(cause, _diverged(groups.values())))
    styles = dict(zip(groups, shades(len(groups)), strict=True))
    with styled():
        figure, (left, right) = panels(2, 2, "", (4.0, 3.1))
        last = max(run_steps(result) for runs in groups.values() for result in runs)
        for label in lines:
            runs, style = groups[label], styles[label]
            curve = survival([run_steps(r) for r in runs], [r.state is State.DIVERGED for r in runs])
            at, height, low, high = ([*part, part[-1]] for part in (curve.steps, curve.share, curve.low, curve.high))
            at[-1] = last
            left.step(at, height, where="post", lw=1.6, **style)
            left.fill_between(at, low, high, step="post", color=style["color"], alpha=0.12, linewidth=0)
        _dress_survival(left, last)
        bottom = [0] * len(groups)
        for n, (name, _) in enumerate(causes.most_common()):
            heights = [sum(cause(result) == name for result in _diverged([runs])) for runs in groups.values()]
            right.bar(range(len(groups)), heights, bottom=bottom, color=COLOURS[n % 6], width=0.75,
                      edgecolor="white", linewidth=0.6, hatch=HATCHES[n // 6 % 4])  # fmt: skip
            bottom = [a + b for a, b in zip(bottom, heights, strict=True)]
        _dress_causes(right, list(groups), setting)
        names = {label: f"{setting}={label}" if setting else label for label in lines}
        of_lines = [key(name, linewidth=1.6, **styles[label]) for label, name in names.items()]
        of_bars = [
            key(name, color=COLOURS[n % 6], marker="s", linestyle="", markersize=6)
            for n, (name, _) in enumerate(causes.most_common())
        ]
        # Legends go above the panels, because long group names may be below.
        for axis, keys, columns in ((left, of_lines, 2 if len(of_lines) > 5 else 1), (right, of_bars, 1)):
            axis.legend(handles=keys, loc="lower left", bbox_to_anchor=(0, 1.01), borderaxespad=0, ncols=columns)
    return figure


def _groups(verdict: Verdict, setting: str | None) -> dict[str, list[Result]]:
    """Return the finished runs by the value of a setting."""
    groups: dict[str, list[Result]] = {}
    for value in verdict.leaderboard.values(setting) if setting else [None]:
        chosen = [
            one for one in verdict.leaderboard.configurations if setting is None or one.settings[setting] == value
        ]
        ended = [r for one in chosen for r in one.runs.values() if r.state in (State.COMPLETED, State.DIVERGED)]
        if ended:
            groups[f"{value:g}" if isinstance(value, int | float) else str(value or "all")] = ended
    return groups


def _diverged(groups: Iterable[Sequence[Result]]) -> list[Result]:
    return [result for runs in groups for result in runs if result.state is State.DIVERGED]


def _drawn_groups(groups: Mapping[str, Sequence[Result]]) -> list[str]:
    """Return the labels of the groups to draw; with many groups, only one without divergences."""
    if len(groups) <= MAX_LINES:
        return list(groups)
    diverged = [label for label, runs in groups.items() if _diverged([runs])]
    sound = [label for label in groups if label not in diverged]
    return sorted([*sound[-1:], *diverged[-MAX_LINES:]], key=list(groups).index)


def _dress_survival(axis: Any, last: int) -> None:
    from matplotlib.ticker import PercentFormatter

    axis.set(xlabel="step (generator updates)", ylabel="runs not diverged", ylim=(-0.03, 1.03))
    axis.set_xlim(0, max(last, 1))
    axis.yaxis.set_major_formatter(PercentFormatter(1.0))
    axis.locator_params(axis="x", nbins=5)
    grid_lines(axis)


def _dress_causes(axis: Any, labels: Sequence[str], setting: str | None) -> None:
    from matplotlib.ticker import MaxNLocator

    axis.set(xlabel=RATE_NAMES.get(setting or "", setting or ""), ylabel="diverged runs")
    crowded = len(labels) > 6 or max(map(len, labels)) > 6
    rotated = {"rotation": 45, "ha": "right"} if crowded else {"rotation": 0, "ha": "center"}
    axis.set_xticks(range(len(labels)), labels, **rotated)
    axis.yaxis.set_major_locator(MaxNLocator(integer=True))
    grid_lines(axis)
