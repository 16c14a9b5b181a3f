"""Settings that a sweep varies, and their values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gansweep.config.keys import COLUMNS, FALLBACKS, is_part_of_identity
from gansweep.config.keys import SEEDS as SEEDS
from gansweep.sweep.cell import Cell
from gansweep.sweep.identity import canonical

UNSET, EXPERIMENT = "default", "experiment"
SEED = "seed"
PRESETS = (EXPERIMENT, "protocol", "scale")  # groups that choose options of other groups
# Names in tables of the parts of an identity other than the config, if different from their own.
TITLES = {"data": "data content"}
CODE = "code."  # followed by the name of a module
NOT_USED = "-"  # instead of the hash of a module that a cell does not use
HASH_SHOWN = 8  # digits of a hash in tables

_encode = json.JSONEncoder(sort_keys=True).encode  # as json.dumps, which makes a new encoder for every call


def swept_keys(cells: Sequence[Cell]) -> list[str]:
    """Return the keys that distinguish the runs of some cells, in the order of the command line.

    Cells that agree in all these keys, except for the seed, have equal identities and are repetitions of one run. A key
    that was given several values is listed if it can change a run, or if no other key distinguishes two runs, as
    data.root for two folders. Differences that were not given on the command line follow: a YAML file, the content of
    the data, the code or the arithmetic was edited between two grids. Choices made by experiments, protocols and scales
    are represented by the names of these.
    """
    typed = dict.fromkeys(key for cell in cells for key in cell.overrides)
    varied = [key for key in typed if _differs(cells, key)]
    named = [key for key in varied if is_part_of_identity(key)]
    presets = [key for key in PRESETS if key in named]
    if presets and all(EXPERIMENT in cell.overrides for cell in cells):
        named = [key for key in named if not _chosen_by(presets, cells, key)]
    for key in (key for key in varied if not is_part_of_identity(key)):
        if any(_differs(group, key) for group in _mixed(cells, named)):
            named.append(key)
    groups = _mixed(cells, named)
    unsaid = dict.fromkeys(key for group in groups for key in _differences([_training(cell) for cell in group]))
    # A setting that is interpolated from the seed varies between repetitions, as the seed does.
    follow = [key for key in unsaid if all(value(cell, key) == value(cell, SEED) for cell in cells)]
    keys = [*(key for key in typed if key in named), *(key for key in unsaid if key not in follow)]
    return sorted(keys, key=lambda key: not key.startswith(CODE))  # a stable sort


def column_keys(cells: Sequence[Cell]) -> list[str]:
    """Return the keys for a table with one row per cell: those given on the command line, those varied, the usual."""
    typed = (key for cell in cells for key in cell.overrides)
    return list(dict.fromkeys([*typed, *swept_keys(cells), *COLUMNS]))


def _mixed(cells: Sequence[Cell], keys: Iterable[str]) -> list[list[Cell]]:
    """Group cells by the values of some keys, except seeds, and return the groups with different identities."""
    keys = [key for key in keys if key not in SEEDS]
    groups: dict[tuple[str, ...], list[Cell]] = {}
    for cell in cells:
        groups.setdefault(tuple(_text(cell, key) for key in keys), []).append(cell)
    several = [group for group in groups.values() if len(group) > 1]
    return [group for group in several if len({_encode(_training(cell)) for cell in group}) > 1]


def _chosen_by(presets: Sequence[str], cells: Sequence[Cell], key: str) -> bool:
    """Return True if `key` is a config group whose option is determined by the presets."""
    if key in PRESETS or not all(isinstance(cell.config.get(key.rpartition("@")[2]), Mapping) for cell in cells):
        return False
    pairs = {(tuple(_text(cell, preset) for preset in presets), _text(cell, key)) for cell in cells}
    return len(pairs) == len({names for names, _ in pairs})


def value(cell: Cell, key: str) -> Any:
    """Return the value of a key for a cell, in canonical form.

    The value is taken from the overrides, or else from the config, which has the value of a key that was not given on
    the command line. The config does not contain the name of a group's option, so it is `default` in this case. An
    optimizer or schedule of the discriminator that is not set has the value of the generator's, and a kind of seed that
    is not set, as `seed_init`, that of `seed`. Hashes in the identity are cut to their first digits.
    """
    if key in SEEDS and key != SEED:
        own = cell.overrides.get(key, cell.config.get(key))
        return value(cell, SEED) if own is None else canonical(own)
    if key in cell.overrides:
        return canonical(cell.overrides[key])
    if key in ("optimizer_d", "schedule_d"):
        # The name of the option: the config contains only the settings of the option.
        option = cell.overrides.get(f"{FALLBACKS[key]}@{key}")
        return canonical(option) if option is not None else value(cell, FALLBACKS[key])
    path, beside = key.lstrip("+~"), _beside_config(cell)
    setting = beside[path] if path in beside else _at(cell.config, path)
    if setting == UNSET:
        setting = _at(beside, path)
    if setting == UNSET and key.startswith(CODE):
        return NOT_USED
    return UNSET if isinstance(setting, Mapping) else short(canonical(setting))


def short(text: Any) -> Any:
    """Return the first digits of a hash, and other values unchanged; a record has all digits."""
    is_hash = isinstance(text, str) and len(text) >= 40 and not set(text) - set("0123456789abcdef")
    return text[:HASH_SHOWN] if is_hash else text


def _at(node: Mapping[str, Any], path: str) -> Any:
    """Return the value at a dotted path, UNSET if there is none; keys may contain dots, as names of modules."""
    if path in node:
        return node[path]
    if "." not in path:
        return UNSET
    for key, inner in node.items():
        if path.startswith(f"{key}.") and isinstance(inner, Mapping):
            value_inside = _at(inner, path[len(key) + 1 :])
            if value_inside != UNSET:
                return value_inside
    return UNSET


def _differs(cells: Sequence[Cell], key: str) -> bool:
    return len({_text(cell, key) for cell in cells}) > 1


def _text(cell: Cell, key: str) -> str:
    return _encode(value(cell, key))


def _training(cell: Cell) -> dict[str, Any]:
    """Return the identity of a cell without its seeds, by the names used in tables."""
    config = {key: inner for key, inner in cell.identity.get("config", {}).items() if key not in SEEDS}
    return {**_beside_config(cell), **config}


def _beside_config(cell: Cell) -> dict[str, Any]:
    return {TITLES.get(key, key): inner for key, inner in cell.identity.items() if key != "config"}


def _differences(nodes: Sequence[Mapping[str, Any]], prefix: str = "") -> list[str]:
    """Return the dotted keys of the leaves in which configs differ; a missing node is treated as empty."""
    different = []
    for key in dict.fromkeys(key for node in nodes for key in node):
        parts = [node.get(key) for node in nodes]
        if len({json.dumps(canonical(part), sort_keys=True) for part in parts}) == 1:
            continue
        nested = [part or {} for part in parts if part is None or isinstance(part, Mapping)]
        leaves = _differences(nested, f"{prefix}{key}.") if len(nested) == len(parts) else []
        different += leaves or [f"{prefix}{key}"]
    return different


def order(values: Sequence[Any]) -> list[Any]:
    """Return the distinct values: sorted if all are numbers, else in order of appearance."""
    distinct = list({_encode(value): value for value in values}.values())
    if all(map(is_number, distinct)):
        return sorted(distinct)
    return distinct


def is_number(value: Any) -> bool:
    """Return True for an int or float; booleans are not numbers here."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)
