"""Which settings a sweep varies, and their values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from gansweep.config.keys import COLUMNS, FALLBACKS, is_part_of_identity
from gansweep.sweep.identity import canonical

UNSAID, EXPERIMENT = "default", "experiment"
SEED = "seed"
PRESETS = (EXPERIMENT, "protocol", "scale")  # what chooses options of other groups
# What tables call the parts of an identity besides the config; others go by their own names.
TITLES = {"data": "data content"}
HASH_SHOWN = 8  # digits


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
    """List the keys that tell the trainings of some cells apart, in the order in which they were typed.

    Cells that agree in all of them, except for the seed, are repetitions of one training: their identities are equal.
    So a key that was typed with several values is listed if it can change a training, or if nothing else tells two
    trainings apart, as data.root of two folders. What differs and was not typed follows: a YAML, the content of the
    data, the code or the arithmetic was edited between two grids. What experiments, their protocols and scales choose
    is told by their names.
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
    # A setting that follows the seed by interpolation is repeated over with it.
    follow = [key for key in unsaid if all(value(cell, key) == value(cell, SEED) for cell in cells)]
    return [*(key for key in typed if key in named), *(key for key in unsaid if key not in follow)]


def settings_to_tell(cells: Sequence[Combination]) -> list[str]:
    """List the keys that one row for every cell has to have: those that were typed, that differ, and the usual ones."""
    typed = (key for cell in cells for key in cell.overrides)
    return list(dict.fromkeys([*typed, *swept_keys(cells), *COLUMNS]))


def _mixed(cells: Sequence[Combination], keys: Iterable[str]) -> list[list[Combination]]:
    """Group cells that agree in some keys, the seed left out, and return the groups with several trainings."""
    keys = [key for key in keys if key != SEED]
    groups: dict[tuple[str, ...], list[Combination]] = {}
    for cell in cells:
        groups.setdefault(tuple(_text(cell, key) for key in keys), []).append(cell)
    several = [group for group in groups.values() if len(group) > 1]
    return [group for group in several if len({json.dumps(_training(c), sort_keys=True) for c in group}) > 1]


def _chosen_by(presets: Sequence[str], cells: Sequence[Combination], key: str) -> bool:
    """Tell whether `key` is a group whose option goes with the names of the presets."""
    if key in PRESETS or not all(isinstance(cell.config.get(key.rpartition("@")[2]), Mapping) for cell in cells):
        return False
    pairs = {(tuple(_text(cell, preset) for preset in presets), _text(cell, key)) for cell in cells}
    return len(pairs) == len({names for names, _ in pairs})


def value(cell: Combination, key: str) -> Any:
    """Return a cell's value of a key, in canonical form.

    It is looked for among the overrides, or else in the config: a cell of an earlier grid may not have named the key;
    its config then has the number that was in force. Which option a group had can't be told from there, it is called
    `default`. Without an optimizer or schedule of its own the discriminator has the generator's. Of hashes in the
    identity it is the first digits.
    """
    if key in cell.overrides:
        return canonical(cell.overrides[key])
    if key in ("optimizer_d", "schedule_d"):
        # As a word: what the config has there are the settings of the choice.
        own = cell.overrides.get(f"{FALLBACKS[key]}@{key}")
        return canonical(own) if own is not None else value(cell, FALLBACKS[key])
    found = _at({**cell.config, **_beside_config(cell)}, key.lstrip("+~"))
    return UNSAID if isinstance(found, Mapping) else short(canonical(found))


def short(text: Any) -> Any:
    """Cut a hash to its first digits; a record has all of them."""
    is_hash = isinstance(text, str) and len(text) >= 40 and not set(text) - set("0123456789abcdef")
    return text[:HASH_SHOWN] if is_hash else text


def _at(node: Mapping[str, Any], path: str) -> Any:
    """Return what is at a dotted path, UNSAID if nothing is; names of modules have dots themselves."""
    if path in node:
        return node[path]
    for key, inner in node.items():
        if isinstance(inner, Mapping) and path.startswith(f"{key}."):
            found = _at(inner, path[len(key) + 1 :])
            if found != UNSAID:
                return found
    return UNSAID


def _differs(cells: Sequence[Combination], key: str) -> bool:
    return len({_text(cell, key) for cell in cells}) > 1


def _text(cell: Combination, key: str) -> str:
    return json.dumps(value(cell, key), sort_keys=True)


def _training(cell: Combination) -> dict[str, Any]:
    """Return a cell's identity by the names that tables have, without the seed."""
    config = {key: inner for key, inner in cell.identity.get("config", {}).items() if key != SEED}
    return {**_beside_config(cell), **config}


def _beside_config(cell: Combination) -> dict[str, Any]:
    return {TITLES.get(key, key): inner for key, inner in cell.identity.items() if key != "config"}


def _differences(nodes: Sequence[Mapping[str, Any]], prefix: str = "") -> list[str]:
    """List the dotted keys of the leaves in which configs differ; a part that is missing is empty."""
    found = []
    for key in dict.fromkeys(key for node in nodes for key in node):
        parts = [node.get(key) for node in nodes]
        if len({json.dumps(canonical(part), sort_keys=True) for part in parts}) == 1:
            continue
        nested = [part or {} for part in parts if part is None or isinstance(part, Mapping)]
        leaves = _differences(nested, f"{prefix}{key}.") if len(nested) == len(parts) else []
        found += leaves or [f"{prefix}{key}"]
    return found


def order(values: Sequence[Any]) -> list[Any]:
    """Return the distinct values, numbers by size and others as they come."""
    distinct = list({json.dumps(value, sort_keys=True): value for value in values}.values())
    if all(map(is_number, distinct)):
        return sorted(distinct)
    return distinct


def is_number(value: Any) -> bool:
    """Tell a number from words, lists and truth values, which Python counts among the numbers."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)
