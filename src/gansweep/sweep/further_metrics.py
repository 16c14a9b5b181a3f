"""Metrics that were measured after the training, as columns of tables."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from gansweep.sweep.cell import Result
from gansweep.sweep.identity import canonical
from gansweep.sweep.metric_groups import OF_TRAINING, flattened
from gansweep.sweep.sweep_keys import short


def further_metrics(results: Sequence[Result]) -> dict[str, dict[str, Mapping[str, Any]]]:
    """Return the entries of further metrics by label and by hash of the cell.

    Entries with equal fingerprints have one label: the name of the metric, followed by the fields in which the
    fingerprints differ if several have that name. Of several entries of a cell, the one with the last step is used.
    """
    entries: dict[str, dict[str, Mapping[str, Any]]] = {}
    for result in results:
        for entry in sorted(result.further_metrics, key=lambda entry: entry["final_step"]):
            entries.setdefault(mark(entry), {})[result.cell.hash] = entry
    firsts = {text: next(iter(by_cell.values())) for text, by_cell in entries.items()}
    return {_label(firsts[text], list(firsts.values())): by_cell for text, by_cell in entries.items()}


def mark(metric: Mapping[str, Any]) -> str:
    """Return a text that is equal for metrics with equal fingerprints."""
    fingerprint = {key: part for key, part in (metric.get("fingerprint") or {}).items() if key not in OF_TRAINING}
    return json.dumps(canonical(fingerprint), sort_keys=True)


def _label(entry: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> str:
    fields = [flattened(other["fingerprint"]) for other in entries if other["name"] == entry["name"]]
    own, keys = flattened(entry["fingerprint"]), dict.fromkeys(key for other in fields for key in other)
    differing = [key for key in keys if len({other.get(key) for other in fields}) > 1]
    text = ", ".join(f"{key}={short(own.get(key, 'absent'))}" for key in differing)
    return f"{entry['name']} ({text})" if text else str(entry["name"])
