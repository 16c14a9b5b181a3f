"""Results of a sweep as comma-separated values, one row per cell."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from gansweep.formatting import csv_field
from gansweep.sweep.identity import plain
from gansweep.sweep.result import Result
from gansweep.sweep.sweep_keys import settings_to_tell, value

MEASURED = ("final", "final_step", "best", "best_step", "best_apart", "untrained", "floor")


def spreadsheet(results: Sequence[Result]) -> str:
    """Return the CSV text of all cells; columns are the settings that were given or differ, and the usual ones.

    Missing values are empty fields.
    """
    keys = settings_to_tell([result.cell for result in results])
    rows = [_row(result, keys) for result in results]
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]) if rows else [*keys, "state"], lineterminator="\n")
    writer.writerow({name: csv_field(name) for name in writer.fieldnames})
    writer.writerows({name: csv_field(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def _row(result: Result, keys: Sequence[str]) -> dict[str, Any]:
    cell = result.cell
    settings = {key: plain(value(cell, key)) for key in keys}
    columns = {"cell": cell.name, "cell_hash": cell.hash} | settings
    return columns | {"state": result.state.value} | measured(result.record or {})


def measured(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the outcome fields of a record by column name, None for missing fields."""
    metric, divergence, error, time = (record.get(part) or {} for part in ("metric", "divergence", "error", "time"))
    return {
        "metric_name": metric.get("name"),
        **{name: metric.get(name) for name in MEASURED},
        "steps_done": record.get("steps"),
        "divergence_step": divergence.get("step"),
        "divergence_player": divergence.get("player"),
        "divergence_cause": divergence.get("cause"),
        "error": f"{error.get('type')}: {error.get('message')}" if error else None,
        "wall_s": time.get("wall_s"),
        "steps_per_s": time.get("steps_per_s"),
    }
