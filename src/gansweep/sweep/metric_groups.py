"""Metric fingerprints: groups of cells whose values are comparable, and metrics measured after the training."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from gansweep.sweep.cell import Result
from gansweep.sweep.identity import canonical, plain
from gansweep.sweep.sweep_keys import short, swept_keys, value

# trainer.ema is a setting of the training; earlier versions stored it in the fingerprint of the metric.
OF_TRAINING = ("generator",)
DIFFERENT = "These cells have different metric fingerprints and can't be compared with each other:"


def comparable(results: Sequence[Result]) -> list[list[Result]]:
    """Group cells by the fingerprint of their metric, and those by that of their second metric.

    A cell without a value is in the group with the same settings of metric and data, or else in the largest group.
    """
    return [group for part in _divided(results, "metric") for group in _divided(part, "metric_2")]


def _divided(results: Sequence[Result], metric: str) -> list[list[Result]]:
    groups: dict[str, int] = {}  # number of cells by fingerprint
    by_settings: dict[str, str] = {}
    marks = [json.dumps(canonical(fingerprint(result, metric)), sort_keys=True) for result in results]
    settings = [
        json.dumps(canonical([result.cell.config.get(key) for key in (metric, "data")]), sort_keys=True)
        for result in results
    ]
    measured = [bool(getattr(result, metric)) for result in results]
    for mark, setting, has_value in zip(marks, settings, measured, strict=True):
        if has_value:
            groups[mark] = groups.get(mark, 0) + 1
            by_settings.setdefault(setting, mark)
    if len(groups) <= 1:
        return [list(results)]
    largest = max(groups, key=lambda mark: groups[mark])
    homes = [
        mark if has_value else by_settings.get(setting, largest)
        for mark, setting, has_value in zip(marks, settings, measured, strict=True)
    ]
    return [[result for result, home in zip(results, homes, strict=True) if home == mark] for mark in groups]


def fingerprint(result: Result, metric: str = "metric") -> dict[str, Any]:
    """Return the fingerprint of a result's metric or second metric; empty if nothing was measured."""
    content = getattr(result, metric).get("fingerprint") or {}
    return {key: part for key, part in content.items() if key not in OF_TRAINING}


def differences(groups: Sequence[Sequence[Result]]) -> str:
    """Return Markdown that lists the differences between the fingerprints and the cells of each table."""
    return "\n".join([DIFFERENT, *(f"- {line}" for line in fingerprint_differences(groups))])


def fingerprint_differences(groups: Sequence[Sequence[Result]]) -> list[str]:
    """Return for each table what its fingerprint differs in, and its first cells."""
    lines = []
    for number, (what, label, group) in enumerate(zip(_marks(groups), labels(groups), groups, strict=True), 1):
        names = [result.cell.name for result in group]
        shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        which = f" ({label})" if label and label != what else ""
        lines.append(f"table {number}{which}: {what}: {shown}")
    return lines


def _marks(groups: Sequence[Sequence[Result]]) -> list[str]:
    """Return for each group the text of the fingerprint fields in which the groups differ."""
    flat = [
        flattened(next((fingerprint(r) for r in group if r.metric), {}))
        | flattened(next((fingerprint(r, "metric_2") for r in group if r.metric_2), {}), "metric_2.")
        for group in groups
    ]
    names = sorted({key for fields in flat for key in fields})
    keys = [key for key in names if len({fields.get(key) for fields in flat}) > 1]
    return [", ".join(f"{key} {short(fields.get(key, 'absent'))}" for key in keys) for fields in flat]


def fixed_keys(groups: Sequence[Sequence[Result]]) -> list[dict[str, Any]]:
    """Return for each group the swept settings that have the same value in all its cells."""
    varied = swept_keys([result.cell for group in groups for result in group])
    fixed = []
    for group in groups:
        values = {key: {plain(value(result.cell, key)): value(result.cell, key) for result in group} for key in varied}
        fixed.append({key: next(iter(distinct.values())) for key, distinct in values.items() if len(distinct) == 1})
    return fixed


def labels(groups: Sequence[Sequence[Result]]) -> list[str]:
    """Return a distinct label for each group: its fixed swept settings, as `data=ring`, or else its fingerprint."""
    texts = [", ".join(f"{key}={plain(setting)}" for key, setting in fixed.items()) for fixed in fixed_keys(groups)]
    if len(set(texts)) == len(texts):
        return texts
    return [", ".join(filter(None, pair)) for pair in zip(texts, _marks(groups), strict=True)]


def flattened(node: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return the values of a nested mapping as text by dotted key."""
    pairs = ((f"{prefix}{key}", inner) for key, inner in node.items())
    parts = (flattened(inner, f"{key}.") if isinstance(inner, Mapping) else {key: plain(inner)} for key, inner in pairs)
    return dict(itertools.chain.from_iterable(part.items() for part in parts))


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
