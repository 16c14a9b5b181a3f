"""Summary of a sweep from its records: varied settings, states, cost, environment and metric fingerprint."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from gansweep.config.keys import CAPTION
from gansweep.report.study import Study
from gansweep.results.leaderboard import Contest
from gansweep.sweep.identity import plain
from gansweep.sweep.progress import duration
from gansweep.sweep.sweep_keys import SEED, UNSAID, order, swept_keys, value

MANY = 12


def question(study: Study) -> list[str]:
    """Return sentences that state the varied and the fixed settings."""
    cells = [result.cell for result in study.results]
    keys = swept_keys(cells)
    varied = [f"**{key}** ({_list([value(cell, key) for cell in cells])})" for key in keys]
    equal = {key: order([value(cell, key) for cell in cells]) for key in CAPTION if key not in keys}
    fixed = [f"{key}={plain(v[0])}" for key, v in equal.items() if len(v) == 1 and v[0] not in (UNSAID, None)]
    steps = order([cell.config.get("steps") for cell in cells])
    fixed += [f"steps={steps[0]}"] if len(steps) == 1 and steps[0] is not None else []
    settings = [key for key in keys if key != SEED]
    asked = f"What is the effect of {_and(settings)}? "
    lines = [f"{asked if settings else ''}Varied: {'; '.join(varied)}." if varied else "One run."]
    if fixed:
        lines.append(f"Equal for all runs: {', '.join(f'`{text}`' for text in fixed)}.")
    return lines


def plan(study: Study) -> str:
    """Return the number of runs by state, and their cost."""
    counts = Counter(result.state.value for result in study.results)
    states = ", ".join(f"{number} {name}" for name, number in counts.most_common())
    return f"{len(study.results)} runs: {states}.{_cost(study)}"


def _cost(study: Study) -> str:
    """Return the total wall time of the processes. Each run of a pack records the time of the whole pack."""
    own = shared = 0.0
    for result in study.results:
        record = result.record or {}
        wall_s = (record.get("time") or {}).get("wall_s") or 0
        own += wall_s
        shared += wall_s / max((record.get("pack") or {}).get("members") or 1, 1)
    if not own:
        return ""
    if shared == own:
        return f" Total wall time: {duration(own)} of one process."
    counted = f"the sum over runs is {duration(own)}, because the runs of a pack share their time"
    return f" Total wall time: about {duration(shared)} of one process; {counted}."


def environment(study: Study) -> dict[str, str]:
    """Return versions and devices; where they differ, with the number of runs of each."""
    versions: dict[str, Counter[str]] = {}
    devices: Counter[str] = Counter()
    for result in study.results:
        record = result.record or {}
        for name, version in (record.get("versions") or {}).items():
            versions.setdefault(name, Counter())[str(version)] += 1
        device = record.get("device") or {}
        if device:
            devices[", ".join(f"{key} {plain(one)}" for key, one in device.items())] += 1
    found = {name: _counted(counts) for name, counts in versions.items()}
    return found | ({"device": _counted(devices)} if devices else {})


def fingerprint(contest: Contest) -> str:
    """Return the metric fingerprint and its real-against-real floor as JSON."""
    metric: Mapping[str, Any] = contest.metric
    content = {"fingerprint": metric.get("fingerprint"), "floor (real against real)": metric.get("floor")}
    return json.dumps(content, indent=1, default=str)


def _and(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def _counted(counts: Counter[str]) -> str:
    if len(counts) == 1:
        return next(iter(counts))
    return "; ".join(f"{one} ({number} runs)" for one, number in counts.most_common(5))


def _list(values: list[Any]) -> str:
    distinct = [plain(one) for one in order(values)]
    return ", ".join(distinct) if len(distinct) <= MANY else f"{len(distinct)} values, {distinct[0]} to {distinct[-1]}"
