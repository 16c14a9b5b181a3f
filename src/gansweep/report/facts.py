"""Summary of a sweep from its records: varied settings, states, cost, environment, metric fingerprint, all runs."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gansweep.config.keys import CAPTION
from gansweep.formatting import counted, number
from gansweep.report.study import Study
from gansweep.results.leaderboard import Leaderboard
from gansweep.section import Code, Entry, Link, Paragraph, Strong, Table
from gansweep.sweep.cell import Result, State
from gansweep.sweep.identity import plain
from gansweep.sweep.progress import duration
from gansweep.sweep.sweep_keys import SEEDS, UNSET, is_number, order, value

MANY = 12


def question(study: Study) -> list[Paragraph]:
    """Return the varied settings, the fixed settings, and the number of runs with their cost."""
    cells, keys = [result.cell for result in study.results], study.keys
    settings = [key for key in keys if key not in SEEDS]
    varied: list[str | Strong] = [f"What is the effect of {_and(settings)}? " if settings else "", "Varied: "]
    for n, key in enumerate(keys):
        varied += [Strong(key), f" ({_list([value(cell, key) for cell in cells])}){'; ' if n < len(keys) - 1 else '.'}"]
    equal = {key: order([value(cell, key) for cell in cells]) for key in CAPTION if key not in keys}
    fixed = [f"{key}={plain(v[0])}" for key, v in equal.items() if len(v) == 1 and v[0] not in (UNSET, None)]
    steps = order([cell.config.get("steps") for cell in cells])
    fixed += [f"steps={steps[0]}"] if len(steps) == 1 and steps[0] is not None else []
    paragraphs = [Paragraph(varied if keys else "One run.")]
    if fixed:
        codes = [part for text in fixed for part in (Code(text), ", ")][:-1]
        paragraphs.append(Paragraph(["Equal for all runs: ", *codes, "."]))
    return [*paragraphs, Paragraph(plan(study)), *map(Paragraph, study.notes)]


def plan(study: Study) -> str:
    """Return the number of runs by state, and their cost."""
    counts = Counter(result.state.value for result in study.results)
    states = ", ".join(f"{count} {name}" for name, count in counts.most_common())
    return f"{counted(len(study.results), 'run')}: {states}.{_cost(study)}"


def _cost(study: Study) -> str:
    """Return the total wall time of the processes. Each run of a pack records the time of the whole pack."""
    total = shared = 0.0
    for result in study.results:
        record = result.record or {}
        wall_s = (record.get("time") or {}).get("wall_s") or 0
        total += wall_s
        shared += wall_s / max((record.get("pack") or {}).get("members") or 1, 1)
    if not total:
        return ""
    if shared == total:
        return f" Total wall time: {duration(total)} of one process."
    counted = f"the sum over runs is {duration(total)}, because the runs of a pack share their time"
    return f" Total wall time: about {duration(shared)} of one process; {counted}."


def environment(study: Study) -> dict[str, str]:
    """Return versions and devices; where they differ, with the number of runs of each."""
    counts: dict[str, Counter[str]] = {}
    devices: Counter[str] = Counter()
    for result in study.results:
        record = result.record or {}
        for name, version in (record.get("versions") or {}).items():
            counts.setdefault(name, Counter())[str(version)] += 1
        if device := record.get("device"):
            devices[", ".join(f"{key} {plain(text)}" for key, text in device.items())] += 1
    return {name: _counted(count) for name, count in (counts | {"device": devices}).items() if count}


def fingerprint(leaderboard: Leaderboard) -> str:
    """Return the metric fingerprint and its real-against-real floor as JSON."""
    metric = leaderboard.metric
    content = {"fingerprint": metric.get("fingerprint"), "real against real": metric.get("floor")}
    return json.dumps(content, indent=1, default=str)


def runs(study: Study, folder: Path) -> Table:
    """Return a table with one row per run; links are relative to `folder`, the folder of the page."""
    keys = study.keys
    head = ["run", *keys, "state", "final", "best", "steps", "wall s", "problem"]
    rows = [_run(result, keys, folder) for result in study.results]
    return Table(head, rows, "All runs; the name links to the run directory.")


def address(path: Path, folder: Path) -> str:
    """Return the URL of `path` relative to `folder`."""
    return quote(Path(os.path.relpath(path, folder)).as_posix())


def _run(result: Result, keys: list[str], folder: Path) -> list[Entry]:
    record, cell = result.record or {}, result.cell
    name = Entry(cell.short_hash, cell=cell.short_hash)
    if cell.directory.is_dir():
        link = Link(f"{address(cell.directory, folder)}/", cell.short_hash, f"directory of {cell.name}")
        name = Entry("", link=link, cell=cell.short_hash)
    settings = [(plain(chosen), chosen) for chosen in (value(cell, key) for key in keys)]
    ended = result.state in (State.COMPLETED, State.DIVERGED)
    steps, problem = record.get("steps"), Entry(result.trouble)
    if result.traceback:
        file = cell.directory.parent / result.traceback
        problem = Entry(f"{result.trouble}; ", link=Link(address(file, folder), result.traceback))
    return [
        name,
        *(Entry(text, float(chosen) if is_number(chosen) else None) for text, chosen in settings),
        Entry(result.state.value),
        _number(result.final, "N/A" if ended else "-"),
        _number(result.metric.get("best")),
        Entry("-" if steps is None else str(steps), steps),
        _number((record.get("time") or {}).get("wall_s")),
        problem,
    ]


def _number(value: float | None, none: str = "-") -> Entry:
    return Entry(none) if value is None else Entry(number(value), value)


def _and(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def _counted(counts: Counter[str]) -> str:
    if len(counts) == 1:
        return next(iter(counts))
    return "; ".join(f"{text} ({counted(count, 'run')})" for text, count in counts.most_common(5))


def _list(values: list[Any]) -> str:
    distinct = [plain(setting) for setting in order(values)]
    return ", ".join(distinct) if len(distinct) <= MANY else f"{len(distinct)} values, {distinct[0]} to {distinct[-1]}"
