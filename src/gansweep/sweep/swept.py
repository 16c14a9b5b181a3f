"""Which settings a sweep varies."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from gansweep.sweep.identity import INSTEAD, canonical

UNSAID, NUMERICS, EXPERIMENT = "default", "numerics", "experiment"
SEED = "seed"
PRESETS = (EXPERIMENT, "protocol", "scale")  # what chooses options of other groups
# Told of every cell, whether or not they were named for one of them.
ALWAYS = ("lr", "lr_d", "optimizer_d", "schedule_d", "batch_size", "critic_steps", SEED)


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
    between two grids, the keys in which they differ follow. What experiments, their protocols
    and scales choose is told by their names.
    """
    keys = dict.fromkeys(key for cell in cells for key in cell.overrides)
    named = [key for key in keys if len({_text(cell, key) for cell in cells}) > 1]
    presets = [key for key in PRESETS if key in named]
    if presets and all(EXPERIMENT in cell.overrides for cell in cells):
        named = [key for key in named if not _chosen_by(presets, cells, key)]
    alike: dict[tuple[str, ...], list[Combination]] = {}
    for cell in cells:
        alike.setdefault(tuple(_text(cell, key) for key in named), []).append(cell)
    unsaid = dict.fromkeys(key for group in alike.values() for key in _differences([_settings(c) for c in group]))
    return [*named, *unsaid]


def settings_to_tell(overrides: Iterable[Mapping[str, Any]]) -> list[str]:
    """List the keys that one row for every cell has to have, given what was said about each."""
    return list(dict.fromkeys([*(key for one in overrides for key in one), *ALWAYS]))


def _chosen_by(presets: Sequence[str], cells: Sequence[Combination], key: str) -> bool:
    """Tell whether `key` is a group whose option goes with the names of the presets."""
    if key in PRESETS or not all(isinstance(cell.config.get(key.rpartition("@")[2]), Mapping) for cell in cells):
        return False
    pairs = {(tuple(_text(cell, preset) for preset in presets), _text(cell, key)) for cell in cells}
    return len(pairs) == len({names for names, _ in pairs})


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
    was in force. Which option a group had can't be told from there, it is called `default`. Without
    an optimizer or schedule of its own the discriminator has the generator's.
    """
    if key in overrides:
        return canonical(overrides[key])
    if key in ("optimizer_d", "schedule_d"):
        # As a word: what the config has there are the settings of the choice.
        own = overrides.get(f"{INSTEAD[key]}@{key}")
        return canonical(own) if own is not None else lookup(overrides, config, INSTEAD[key])
    node: Any = config
    for part in key.lstrip("+~").split("."):
        if not isinstance(node, Mapping) or part not in node:
            return UNSAID
        node = node[part]
    return UNSAID if isinstance(node, Mapping) else canonical(node)


def order(values: Sequence[Any]) -> list[Any]:
    """Return the distinct values, numbers by size and others as they come."""
    distinct = list({json.dumps(value, sort_keys=True): value for value in values}.values())
    if all(map(is_number, distinct)):
        return sorted(distinct)
    return distinct


def is_number(value: Any) -> bool:
    """Tell a number from words, lists and truth values, which Python counts among the numbers."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)
