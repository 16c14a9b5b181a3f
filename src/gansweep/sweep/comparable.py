"""Which cells were measured with the same ruler."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from gansweep.sweep.identity import canonical, plain
from gansweep.sweep.result import Result
from gansweep.sweep.swept import swept_keys, value


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


def _fingerprint(result: Result) -> str:
    return json.dumps(canonical(result.metric.get("fingerprint") or {}), sort_keys=True)


def _settings(result: Result) -> str:
    config = result.cell.config
    return json.dumps(canonical({"metric": config.get("metric"), "data": config.get("data")}), sort_keys=True)


def differences(groups: Sequence[Sequence[Result]]) -> str:
    """Say in what the fingerprints differ and which cells have which."""
    marks = [_flat(next(r.metric.get("fingerprint") or {} for r in group if r.metric)) for group in groups]
    keys = [
        key for key in sorted({key for mark in marks for key in mark}) if len({mark.get(key) for mark in marks}) > 1
    ]
    lines = ["These cells were measured differently and can't be compared with each other:"]
    for group, mark in zip(groups, marks, strict=True):
        what = ", ".join(f"{key} {_short(mark.get(key, 'absent'))}" for key in keys)
        names = [result.cell.name for result in group]
        shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        lines.append(f"- {what}: {shown}")
    return "\n".join(lines)


def _short(text: str) -> str:
    """Cut the hash of a data set, of which the record has all."""
    return text[:8] if re.fullmatch(r"[0-9a-f]{40,}", text) else text


def labels(groups: Sequence[Sequence[Result]]) -> list[str]:
    """Name groups by what was swept and is the same inside one, as `data=ring`; "" where nothing is."""
    varied = swept_keys([result.cell for group in groups for result in group])
    found = []
    for group in groups:
        own = {key: {plain(value(result.cell, key)) for result in group} for key in varied}
        found.append(", ".join(f"{key}={one}" for key, (one, *more) in own.items() if not more))
    return found


def _flat(node: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    pairs = ((f"{prefix}{key}", inner) for key, inner in node.items())
    parts = (_flat(inner, f"{key}.") if isinstance(inner, Mapping) else {key: plain(inner)} for key, inner in pairs)
    return dict(itertools.chain.from_iterable(part.items() for part in parts))
