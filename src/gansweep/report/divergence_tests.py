"""Which methods diverge earlier or more often than others: log-rank tests, with the sentences on them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from gansweep.formatting import counted, number
from gansweep.report.plot_axes import PlotAxes
from gansweep.report.verdict import LEVEL, Verdict
from gansweep.statistics.crossed_seeds import factors, independent
from gansweep.statistics.holm import holm
from gansweep.statistics.survival import fewest_seeds, log_rank, log_rank_p
from gansweep.sweep.cell import Result, State
from gansweep.sweep.identity import plain

MAX_TESTED = 12  # methods of which all pairs are tested
Runs = Mapping[tuple[str, str], Result]  # finished runs of a method, by the other settings and the seed


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
