"""Which cells have the same metric fingerprint, so that their values can be compared."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from gansweep.sweep.identity import canonical, plain
from gansweep.sweep.result import Result
from gansweep.sweep.sweep_keys import short, swept_keys, value

# A setting of the training (trainer.ema), which records of earlier versions have among those of the metric.
OF_TRAINING = ("generator",)


def comparable(results: Sequence[Result]) -> list[list[Result]]:
    """Divide cells by what they were measured with.

    A cell without a value stands with those whose metric and data have the same settings, or
    else with the most.
    """
    groups: dict[str, list[Result]] = {}
    by_settings: dict[str, str] = {}
    for result in results:
        if result.metric:
            mark = _fingerprint(result)
            groups.setdefault(mark, []).append(result)
            by_settings.setdefault(_settings(result), mark)
    if len(groups) <= 1:
        return [list(results)]
    largest = max(groups, key=lambda mark: len(groups[mark]))
    home = {
        id(result): _fingerprint(result) if result.metric else by_settings.get(_settings(result), largest)
        for result in results
    }
    return [[result for result in results if home[id(result)] == mark] for mark in groups]


def fingerprint(result: Result) -> dict[str, Any]:
    """Return what identifies a result's metric; empty if nothing was measured."""
    return {key: part for key, part in (result.metric.get("fingerprint") or {}).items() if key not in OF_TRAINING}


def _fingerprint(result: Result) -> str:
    return json.dumps(canonical(fingerprint(result)), sort_keys=True)


def _settings(result: Result) -> str:
    config = result.cell.config
    return json.dumps(canonical({"metric": config.get("metric"), "data": config.get("data")}), sort_keys=True)


def differences(groups: Sequence[Sequence[Result]]) -> str:
    """State in what the fingerprints differ, and which cells are in which table."""
    lines = ["These cells were measured differently and can't be compared with each other:"]
    for number, (what, label, group) in enumerate(zip(_marks(groups), labels(groups), groups, strict=True), 1):
        names = [result.cell.name for result in group]
        shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        which = f" ({label})" if label and label != what else ""
        lines.append(f"- table {number}{which}: {what}: {shown}")
    return "\n".join(lines)


def _marks(groups: Sequence[Sequence[Result]]) -> list[str]:
    """Write for each group the parts of its fingerprint that are not the same for all."""
    flat = [_flat(next((fingerprint(r) for r in group if r.metric), {})) for group in groups]
    keys = [key for key in sorted({key for one in flat for key in one}) if len({one.get(key) for one in flat}) > 1]
    return [", ".join(f"{key} {short(one.get(key, 'absent'))}" for key in keys) for one in flat]


def fixed_keys(groups: Sequence[Sequence[Result]]) -> list[dict[str, Any]]:
    """Return for each group the settings that the groups vary and that are the same for all inside it."""
    varied = swept_keys([result.cell for group in groups for result in group])
    found = []
    for group in groups:
        values = {key: {plain(value(result.cell, key)): value(result.cell, key) for result in group} for key in varied}
        found.append({key: next(iter(own.values())) for key, own in values.items() if len(own) == 1})
    return found


def labels(groups: Sequence[Sequence[Result]]) -> list[str]:
    """Tell groups apart by what was swept and is the same inside one, as `data=ring`, or else by their fingerprints."""
    found = [", ".join(f"{key}={plain(one)}" for key, one in fixed.items()) for fixed in fixed_keys(groups)]
    if len(set(found)) == len(found):
        return found
    return [", ".join(filter(None, pair)) for pair in zip(found, _marks(groups), strict=True)]


def _flat(node: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    pairs = ((f"{prefix}{key}", inner) for key, inner in node.items())
    parts = (_flat(inner, f"{key}.") if isinstance(inner, Mapping) else {key: plain(inner)} for key, inner in pairs)
    return dict(itertools.chain.from_iterable(part.items() for part in parts))
