"""Which settings a sweep varies."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from gansweep.sweep.identity import canonical

UNSAID, NUMERICS = "default", "numerics"


class Combination(Protocol):
    """What is asked of a cell here."""

    @property
    def overrides(self) -> Mapping[str, Any]:
        """What was said about it on the command line, by key."""
        ...

    @property
    def config(self) -> Mapping[str, Any]:
        """Its whole resolved config."""
        ...

    @property
    def identity(self) -> Mapping[str, Any]:
        """Which training it is."""
        ...


def swept_keys(cells: Sequence[Combination]) -> list[str]:
    """List the keys whose values differ between cells, in the order in which they were typed.

    Where that does not tell two trainings apart, because a YAML or the arithmetic was edited
    between two grids, the keys in which they differ follow.
    """
    keys = dict.fromkeys(key for cell in cells for key in cell.overrides)
    named = [key for key in keys if len({_text(cell, key) for cell in cells}) > 1]
    alike: dict[tuple[str, ...], list[Combination]] = {}
    for cell in cells:
        alike.setdefault(tuple(_text(cell, key) for key in named), []).append(cell)
    unsaid = dict.fromkeys(key for group in alike.values() for key in _differences([_settings(c) for c in group]))
    return [*named, *unsaid]


def value(cell: Combination, key: str) -> Any:
    """Return a cell's value of a key, in canonical form; see `lookup`."""
    return lookup(cell.overrides, {**cell.config, NUMERICS: cell.identity.get(NUMERICS)}, key)


def _text(cell: Combination, key: str) -> str:
    return json.dumps(value(cell, key), sort_keys=True)


def _settings(cell: Combination) -> dict[str, Any]:
    return {NUMERICS: cell.identity.get(NUMERICS), **cell.identity.get("config", {})}


def _differences(nodes: Sequence[Mapping[str, Any]], prefix: str = "") -> list[str]:
    """List the dotted keys of the leaves in which configs differ."""
    found = []
    for key in dict.fromkeys(key for node in nodes for key in node):
        inner = [node.get(key) for node in nodes]
        if len({json.dumps(canonical(one), sort_keys=True) for one in inner}) == 1:
            continue
        nested = [one for one in inner if isinstance(one, Mapping)]
        found += _differences(nested, f"{prefix}{key}.") if len(nested) == len(inner) else [f"{prefix}{key}"]
    return found


def lookup(overrides: Mapping[str, Any], config: Mapping[str, Any], key: str) -> Any:
    """Return the value of a key among overrides, or else in the config.

    A cell of an earlier grid may not have named the key; its config then tells the number that
    was in force. Which option a group had can't be told from there, it is called `default`.
    """
    if key in overrides:
        return canonical(overrides[key])
    node: Any = config
    for part in key.lstrip("+~").split("."):
        if not isinstance(node, Mapping) or part not in node:
            return UNSAID
        node = node[part]
    return UNSAID if isinstance(node, Mapping) else canonical(node)


def order(values: Sequence[Any]) -> list[Any]:
    """Return the distinct values, numbers by size and others as they come."""
    distinct = list({json.dumps(value, sort_keys=True): value for value in values}.values())
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in distinct):
        return sorted(distinct)
    return distinct
