"""Detection of cells that are trained again because code was edited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from gansweep.sweep.cell import Cell, State, cells, own_record, state
from gansweep.sweep.code_identity import OURS, find
from gansweep.sweep.identity import digest


def code_changes(new: Sequence[Cell], earlier: Mapping[str, Cell]) -> list[str]:
    """Return one line for each set of modules that was edited since cells were trained.

    Args:
        new: cells of the current grid.
        earlier: cells of earlier grids, by hash.
    """
    unknown = [cell for cell in new if cell.hash not in earlier]
    if not unknown or not earlier:
        return []
    before: dict[str, list[Cell]] = {}
    for cell in earlier.values():
        before.setdefault(_apart_from_code(cell), []).append(cell)
    counts: dict[str, int] = {}
    for cell in unknown:
        trained = [pair for other in before.get(_apart_from_code(cell), ()) if (pair := _trained(other)) is not None]
        if trained:
            date, old = max(trained, key=lambda pair: pair[0])
            text = _difference(old.identity.get("code", {}), cell.identity.get("code", {}), date)
            counts[text] = counts.get(text, 0) + 1
    return [f"{text}: {cells(count)} will be trained again" for text, count in counts.items()]


def _apart_from_code(cell: Cell) -> str:
    return digest({key: value for key, value in cell.identity.items() if key != "code"})


def _trained(cell: Cell) -> tuple[str, Cell] | None:
    """Return the date of a cell's record ("" if it is unfinished) and the cell, or None if the cell is new."""
    record = own_record(cell)
    if record is None:
        return ("", cell) if state(cell) in (State.RESUMABLE, State.CLAIMED) else None
    return str(record["time"].get("finished") or record["time"].get("started") or "")[:10], cell


def _difference(old: Mapping[str, str], new: Mapping[str, str], date: str) -> str:
    changed = [name for name in dict.fromkeys([*old, *new]) if old.get(name) != new.get(name)]
    names = ", ".join(_shown(name, new.get(name, "")) for name in changed)
    then = f"the record of {date}" if date else "the unfinished training"
    # Records of earlier versions do not contain hashes of the user's code.
    if not old and not all(name.split(".")[0] == OURS for name in changed):
        return f"{then[0].upper()}{then[1:]} does not contain the version of {names}"
    return f"{names} changed since {then}"


def _shown(module: str, now: str) -> str:
    """Return the path of a module below its top-level package, or `name==version` of an installed package."""
    spec = find(module)
    if "==" in now or spec is None or not spec.has_location or spec.origin is None:
        return now if "==" in now else module
    path = Path(spec.origin)
    depth = module.count(".") + 1 + (spec.submodule_search_locations is not None)
    return "/".join(path.parts[-depth:])
