"""Directory of a sweep: sweep.json, edited code and missing weights of its cells, and renaming for fresh=true."""

from __future__ import annotations

import json
import logging
import os
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from gansweep.code_identity import OURS, find
from gansweep.formatting import is_folder_name
from gansweep.sweep import cell_lock, records
from gansweep.sweep.cell import LOG, Cell, State, cells, own_record, read_record, state
from gansweep.sweep.identity import digest
from gansweep.sweep.record_schema import check_numbers
from gansweep.training import atomic, checkpoint_step, kept, record

log = logging.getLogger(__name__)

FROZEN = "sweep.json"
# Files that a sweep, its reports and its pictures write next to the cells.
FILES = re.compile(
    r"events\.out\.tfevents\..+|.+\.(json|md|csv|parquet|yaml|html|tex|txt|png|svg|pdf|gif|npz|log|zip)|\..+"
)
FOLDERS = (".submitit", ".ray", ".ipynb_checkpoints", "wandb")
OF_A_CELL = (record.NAME, ".hydra", LOG, *checkpoint_step.NAMES)


class Contents(NamedTuple):
    """Contents of a sweep's directory.

    `bound` states what the last command left out because of its bounds; `damage` why sweep.json can't be read.
    """

    cells: list[Cell]
    commands: list[str]
    note: str
    code: dict[str, str]
    bound: str = ""
    damage: str = ""


def read(root: Path) -> Contents:
    """Return the contents of a sweep's directory. Cells that sweep.json does not list are found by their records."""
    cells: dict[str, Cell] = {}
    commands: list[str] = []
    note, code, bound, damage = "", {}, "", ""
    try:
        frozen = json.loads(atomic.read(root / FROZEN))
        check_numbers("", frozen)
        cells = {cell.hash: cell for cell in _frozen_cells(root, frozen["cells"])}
        commands = [str(line) for line in frozen.get("commands") or [frozen.get("command") or ""]]
        note, bound = (str(frozen.get(key, "")) for key in ("note", "bound"))
        code = {str(name): str(version) for name, version in dict(frozen.get("code") or {}).items()}
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        damage = f"{root / FROZEN} can't be read: {error}"
        log.warning("%s", damage)
    listed = {cell.directory for cell in cells.values()}
    for directory in records.directories(root) if root.is_dir() else ():
        content = None if directory in listed else read_record(directory)
        if content is not None:
            cell = Cell.from_dict(
                root, {**content["cell"], **content, "hash": content["cell"]["hash"], "name": directory.name}
            )
            cells.setdefault(cell.hash, cell)
    return Contents(list(cells.values()), commands, note, code, bound, damage)


def _frozen_cells(root: Path, contents: Sequence[Mapping[str, Any]]) -> Iterator[Cell]:
    """Yield the cells of sweep.json; skip cells whose directory would be outside of the sweep, with a warning."""
    for content in contents:
        name = str(content["name"])
        if is_folder_name(name):
            yield Cell.from_dict(root, content)
        else:
            log.warning("%s: the cell %r is ignored, as it is not a folder name", root / FROZEN, name)


def set_aside(root: Path) -> Path | None:
    """Rename an existing sweep to `<root>.1`, `.2`, ... and return the new path, None if there is none.

    If the directory is a symbolic link, the link is renamed and its target is unchanged.

    Raises:
        ValueError: the directory is not a sweep, contains foreign files, or is locked by a live process.
        OSError: the directory can't be listed or renamed.
    """
    if not root.is_dir() or not any(root.iterdir()):
        return None
    cells = {cell.name for cell in read(root).cells}
    for entry in (root, *root.iterdir()):
        owner = cell_lock.holder(entry) if entry.is_dir() else None
        if owner is not None:
            raise ValueError(
                f"fresh=true: {entry.name} is being trained by process {owner.get('pid')}; stop that one first"
            )
    if not cells and not (root / FROZEN).is_file():
        raise ValueError(f"fresh=true: {root} has no {FROZEN}, so it is not a sweep and is not renamed")
    here = Path.cwd()
    if root.resolve() in (here, *here.parents):
        raise ValueError(f"fresh=true: {root} contains the working directory and is not renamed")
    foreign = sorted(entry.name for entry in root.iterdir() if not _belongs(entry, cells))
    if foreign:
        raise ValueError(
            f"fresh=true: {root} is not renamed, as it contains {foreign[0]}, which does not belong to the sweep"
            f"{f' ({len(foreign)} such entries)' if len(foreign) > 1 else ''}; move it elsewhere or choose another name"
        )
    number = 1
    while os.path.lexists(renamed := root.with_name(f"{root.name}.{number}")):
        number += 1
    root.rename(renamed)
    return renamed


def _belongs(entry: Path, cells: Collection[str]) -> bool:
    """Return True if a directory entry may have been written by a sweep or by its report."""
    if not entry.is_dir():
        return FILES.fullmatch(entry.name) is not None
    if (entry / FROZEN).exists():  # another sweep
        return False
    is_cell = (
        entry.name in cells or any((entry / name).exists() for name in OF_A_CELL) or cell_lock.has_claim_file(entry)
    )
    return is_cell or entry.name in FOLDERS or _is_pictures(entry)


def _is_pictures(folder: Path) -> bool:
    """Return True if a folder contains only files that reports write."""
    return all(not entry.is_dir() and FILES.fullmatch(entry.name) for entry in folder.iterdir())


def without_kept_weights(sweep: Sequence[Cell]) -> list[str]:
    """Return one line for each value of `trainer.keep` about finished cells that were trained with another one."""
    lacking = [
        keep
        for cell in sweep
        if (keep := kept_weights(cell)) != "last" and state(cell).is_result and not _is_kept(cell, keep)
    ]
    counts = Counter(lacking)
    return [
        f"trainer.keep={keep}: {cells(count)} finished without; only new trainings keep weights, fresh=true starts over"
        for keep, count in counts.items()
    ]


def kept_weights(cell: Cell) -> str:
    """Return the value of `trainer.keep`."""
    return str((cell.config.get("trainer") or {}).get("keep", "last"))


def _is_kept(cell: Cell, keep: str) -> bool:
    return bool(kept.files(cell.directory)) if keep == "all" else kept.best(cell.directory) is not None


def code_changes(new: Sequence[Cell], earlier: Mapping[str, Cell]) -> list[str]:
    """Return one line for each set of modules that was edited since cells were trained."""
    unknown = [cell for cell in new if cell.hash not in earlier]
    if not unknown or not earlier:
        return []
    before: dict[str, list[Cell]] = {}
    for cell in earlier.values():
        before.setdefault(_digest_without_code(cell), []).append(cell)
    counts: dict[str, int] = {}
    for cell in unknown:
        trained = [
            pair for other in before.get(_digest_without_code(cell), ()) if (pair := _trained(other)) is not None
        ]
        if trained:
            date, old = max(trained, key=lambda pair: pair[0])
            text = _difference(old.identity.get("code", {}), cell.identity.get("code", {}), date)
            counts[text] = counts.get(text, 0) + 1
    return [f"{text}: {cells(count)} will be trained again" for text, count in counts.items()]


def _digest_without_code(cell: Cell) -> str:
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
