"""Selection of runs of the current version of edited code."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from gansweep.sweep.cell import Result


def current_code(results: Sequence[Result], code: Mapping[str, str]) -> tuple[list[Result], str]:
    """Return one run of each set of runs that differ only in the version of the same modules, and a note on the rest.

    It is the run of the current version. A set without one is represented by its last finished run, and the note counts
    it. Runs keep the order in which their sets first appear. The note is empty if every run is shown and current.

    Args:
        results: the cells.
        code: current hashes of modules, by name; for the other modules those of the last finished run are current.
    """
    by_time = sorted(results, key=_finished)  # stable
    current = {name: version for run in by_time for name, version in _code(run).items()}
    current.update(code)

    def is_current(run: Result) -> bool:
        return all(current[name] == version for name, version in _code(run).items())

    versions: dict[str, list[Result]] = {}
    for place, run in enumerate(results):
        identity = run.cell.identity | {"code": sorted(_code(run))}
        versions.setdefault(json.dumps(identity, sort_keys=True) if _code(run) else str(place), []).append(run)
    shown = [sorted(runs, key=lambda run: (is_current(run), _finished(run)))[-1] for runs in versions.values()]
    left_out, earlier = len(results) - len(shown), sum(not is_current(run) for run in shown)
    notes = []
    if left_out:
        notes.append(f"{_runs(left_out)} of other versions of edited code left out; results.csv lists all runs")
    if earlier:
        notes.append(f"{_runs(earlier)} shown of an earlier version of edited code, not trained with the current one")
    return shown, "; ".join(notes)


def _code(run: Result) -> Mapping[str, str]:
    return run.cell.identity.get("code") or {}


def _finished(run: Result) -> str:
    """Return the time when a run ended, sortable; empty if it has not."""
    return str(((run.record or {}).get("time") or {}).get("finished") or "")


def _runs(count: int) -> str:
    return f"{count} run{'s' if count > 1 else ''}"
