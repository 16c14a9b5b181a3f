"""Which cells of a sweep will be trained again because code was edited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from gansweep.sweep.cell import Cell, State, cells, own_record, state
from gansweep.sweep.code_identity import OURS, find
from gansweep.sweep.identity import digest


def code_changes(new: Sequence[Cell], earlier: Mapping[str, Cell]) -> list[str]:
    """Name, in one line each, the code that was edited since cells were trained.

    Args:
        new: cells of a grid.
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
        trained = [found for other in before.get(_apart_from_code(cell), ()) if (found := _trained(other)) is not None]
        if trained:
            date, old = max(trained, key=lambda found: found[0])
            said = _difference(old.identity.get("code", {}), cell.identity.get("code", {}), date)
            counts[said] = counts.get(said, 0) + 1
    return [f"{said}: {cells(count)} will be trained again" for said, count in counts.items()]


def _apart_from_code(cell: Cell) -> str:
    return digest({key: value for key, value in cell.identity.items() if key != "code"})


def _trained(cell: Cell) -> tuple[str, Cell] | None:
    """Return the day on which a cell's record was made, "" if it is unfinished, with the cell; None if it is new."""
    record = own_record(cell)
    if record is None:
        return ("", cell) if state(cell) in (State.RESUMABLE, State.CLAIMED) else None
    return str(record["time"].get("finished") or record["time"].get("started") or "")[:10], cell


def _difference(old: Mapping[str, str], new: Mapping[str, str], date: str) -> str:
    changed = [name for name in dict.fromkeys([*old, *new]) if old.get(name) != new.get(name)]
    names = ", ".join(_shown(name, new.get(name, "")) for name in changed)
    then = f"the record of {date}" if date else "the unfinished training"
    # Records of earlier versions do not have the user's code.
    if not old and not all(name.split(".")[0] == OURS for name in changed):
        return f"{then[0].upper()}{then[1:]} does not say with which {names} it was made"
    return f"{names} changed since {then}"


def _shown(module: str, now: str) -> str:
    """Return a module's file as one would name it, or the release of an installed package."""
    spec = find(module)
    if "==" in now or spec is None or not spec.has_location or spec.origin is None:
        return now if "==" in now else module
    path = Path(spec.origin)
    depth = module.count(".") + 1 + (spec.submodule_search_locations is not None)
    return "/".join(path.parts[-depth:])
