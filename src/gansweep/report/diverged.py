"""Report section: divergences by cause and step, log-rank tests of which methods diverge more, and errors."""

from __future__ import annotations

import itertools
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from gansweep.formatting import counted, number
from gansweep.plot_style import COLOURS, RATE_NAMES, grid_lines, key, name_ticks, panels, shades, styled
from gansweep.report.plot_axes import PlotAxes
from gansweep.report.verdict import LEVEL, Verdict
from gansweep.section import Block, List, Paragraph, Picture, Section, Table
from gansweep.statistics.crossed_seeds import factors, independent
from gansweep.statistics.holm import holm
from gansweep.statistics.survival import fewest_seeds, log_rank, log_rank_p, survival
from gansweep.sweep.cell import Result, State
from gansweep.sweep.identity import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_LINES, MAX_ERRORS = 10, 10
HATCHES = ("", "///", "...", "xxx")
MAX_TESTED = 12  # methods of which all pairs are tested
Runs = Mapping[tuple[str, str], Result]  # finished runs of a method, by the other settings and the seed


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


def log_rank_tests(verdict: Verdict) -> str:
    """Return the methods that diverge earlier or more often than another, with Holm's correction for all pairs.

    Two methods are compared on the runs whose other settings and seeds both have, so that different rates are not taken
    for different methods. The labels of whole seeds are permuted, see `log_rank_p`.
    """
    layout = PlotAxes.of(verdict.leaderboard)
    methods = {plain(name): _runs(verdict, layout, name) for name in (layout.methods if layout.method else [])}
    methods = {name: runs for name, runs in methods.items() if runs}
    if not 2 <= len(methods) <= MAX_TESTED:
        return ""
    pairs = {pair: _common(verdict, *(methods[name] for name in pair)) for pair in itertools.combinations(methods, 2)}
    tested = {pair: common for pair, common in pairs.items() if common}
    purpose = "a log-rank test of which diverges earlier or more often"
    if not tested:
        return f"{layout.method}: no two have runs with equal other settings and seeds for {purpose}."
    seeds, needed = max(len(_seeds(common)) for common in tested.values()), fewest_seeds(len(tested), LEVEL)
    if seeds < needed:
        return f"{layout.method}: {purpose} needs at least {needed} seeds, here {seeds}.{_shared(verdict)}"
    tests = [_test(methods[first], methods[second], common) for (first, second), common in tested.items()]
    found = []
    for (first, second), (score, _), p in zip(tested, tests, holm([p for _, p in tests]), strict=True):
        if p <= LEVEL:
            more, less = (second, first) if score > 0 else (first, second)
            found.append(f"{more} diverges earlier or more often than {less} (p = {number(float(p))})")
    text = "; ".join(found) or "No two of them differ significantly"
    about = (
        "Log-rank tests by permutation of the seeds, on runs with equal other settings, Holm-corrected for "
        f"{counted(len(tested), 'pair')}."
    )
    if len(tested) < len(pairs):
        about += f" {counted(len(pairs) - len(tested), 'pair')} without such runs not tested."
    return f"{layout.method}: {text}. {about}{_shared(verdict)}"


def run_steps(result: Result) -> int:
    """Return the number of steps of a run, up to its divergence."""
    record = result.record or {}
    divergence = record.get("divergence") or {}
    return int(divergence.get("step", record.get("steps") or 0))


def _runs(verdict: Verdict, layout: PlotAxes, method: Any) -> Runs:
    return {
        (plain({key: value for key, value in one.settings.items() if key != layout.method}), seed): run
        for one in layout.with_method(verdict.leaderboard.configurations, method)
        for seed, run in one.runs.items()
        if run.state in (State.COMPLETED, State.DIVERGED)
    }


def _common(verdict: Verdict, first: Runs, second: Runs) -> list[tuple[str, str]]:
    """Return the keys that two methods have in common; of crossed seeds, those of which no two share one."""
    common, levels = [key for key in first if key in second], verdict.leaderboard.seed_levels
    if not levels or not common:
        return common
    seeds = _seeds(common)
    chosen = {seeds[n] for n in independent(factors([levels[seed] for seed in seeds]))}
    return [key for key in common if key[1] in chosen]


def _seeds(keys: Sequence[tuple[str, str]]) -> list[str]:
    return list(dict.fromkeys(seed for _, seed in keys))


def _test(first: Runs, second: Runs, keys: Sequence[tuple[str, str]]) -> tuple[float, float]:
    """Return the log-rank statistic, positive if the second method diverges more, and its p-value."""
    runs, seeds = [group[key] for group in (first, second) for key in keys], _seeds(keys)
    steps, dead = [run_steps(run) for run in runs], [run.state is State.DIVERGED for run in runs]
    in_second = [False] * len(keys) + [True] * len(keys)
    return log_rank(steps, dead, in_second), log_rank_p(steps, dead, in_second, 2 * [seeds.index(s) for _, s in keys])


def _shared(verdict: Verdict) -> str:
    """Return a sentence on crossed seeds, which are not independent; empty without any."""
    if not verdict.leaderboard.seed_levels:
        return ""
    return f" Of runs that share a {' or '.join(verdict.leaderboard.repeated)} only one is used."


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
    name_ticks(axis, labels, crowded=len(labels) > 6 or max(map(len, labels)) > 6)
    axis.yaxis.set_major_locator(MaxNLocator(integer=True))
    grid_lines(axis)
