"""The results of a sweep as comma separated values, one row for every cell."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from gansweep.sweep.identity import plain
from gansweep.sweep.result import Result
from gansweep.sweep.swept import settings_to_tell, value


def spreadsheet(results: Sequence[Result]) -> str:
    """Write all cells, with every setting that was named for one of them and the most asked for.

    What is not there is an empty field.
    """
    keys = settings_to_tell(result.cell.overrides for result in results)
    rows = [_row(result, keys) for result in results]
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]) if rows else [*keys, "state"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _row(result: Result, keys: Sequence[str]) -> dict[str, object]:
    record, metric, cell = result.record or {}, result.metric, result.cell
    divergence, error, time = record.get("divergence") or {}, record.get("error") or {}, record.get("time") or {}
    settings: dict[str, object] = {key: plain(value(cell, key)) for key in keys}
    return (
        {"cell": cell.name, "cell_hash": cell.hash}
        | settings
        | {
            "state": result.state.value,
            "metric_name": metric.get("name"),
            "final": result.final,
            "final_step": metric.get("final_step"),
            "best": metric.get("best"),
            "best_step": metric.get("best_step"),
            "best_apart": metric.get("best_apart"),
            "untrained": metric.get("untrained"),
            "floor": metric.get("floor"),
            "steps_done": record.get("steps"),
            "divergence_step": divergence.get("step"),
            "divergence_player": divergence.get("player"),
            "divergence_cause": divergence.get("cause"),
            "error": f"{error.get('type')}: {error.get('message')}" if error else None,
            "wall_s": time.get("wall_s"),
            "steps_per_s": time.get("steps_per_s"),
        }
    )
