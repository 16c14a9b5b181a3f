"""Report section: metrics that were measured after the training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gansweep.formatting import number
from gansweep.report.verdict import Verdict
from gansweep.results.configuration import spread
from gansweep.section import Paragraph, Section, Table
from gansweep.sweep.metric_groups import further_metrics

TEXT = (
    "Final generators, measured after the training by `python -m gansweep.measure` on the latents of the evaluations. "
    "Mean ± standard deviation (number of values). "
)


def section(verdict: Verdict) -> Section | None:
    """Return the section with one column for each metric; None if nothing was measured after the training."""
    leaderboard = verdict.leaderboard
    further = further_metrics(leaderboard.results)
    if not further:
        return None
    rows = []
    for configuration in leaderboard.configurations:
        row = [configuration.name]
        for entries in further.values():
            found = [entries.get(run.cell.hash, {}).get("final") for run in configuration.runs.values()]
            finals = [value for value in found if value is not None]
            row.append(spread(finals, len(configuration.runs)) if finals else "-")
        rows.append(row)
    about = "; ".join(_about(label, list(entries.values())) for label, entries in further.items())
    table = Table(["configuration", *(f"final {label}" for label in further)], rows)
    return Section("Measured after training", [Paragraph(f"{TEXT}{about}."), table])


def _about(label: str, entries: list[Mapping[str, Any]]) -> str:
    """Return the direction of a metric, its value of real against real samples, and the date of the last value."""
    entry = max(entries, key=lambda entry: str(entry.get("measured")))
    floor = entry.get("floor")
    real = "" if floor is None else f", real against real {number(floor)}"
    better = "lower" if entry.get("lower_is_better", True) else "higher"
    return f"{label}: {better} is better{real}, measured on {str(entry.get('measured'))[:10]}"
