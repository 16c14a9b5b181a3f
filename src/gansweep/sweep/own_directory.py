"""Renaming of an existing sweep directory for fresh=true; other directories are refused."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from pathlib import Path

from gansweep.sweep import cell_lock
from gansweep.sweep.cell import CHECKPOINTS, LOG
from gansweep.training import record

# Files that a sweep, its reports and its pictures write next to the cells.
FILES = re.compile(r"events\.out\.tfevents\..+|.+\.(json|md|csv|yaml|html|tex|txt|png|svg|pdf|gif|npz|log)|\..+")
FOLDERS = (".submitit", ".ray", ".ipynb_checkpoints")
OF_A_CELL = (record.NAME, ".hydra", LOG, *CHECKPOINTS)


def rename(root: Path, frozen: str, cells: Collection[str]) -> Path | None:
    """Rename an existing sweep to `<root>.1`, `.2`, ... and return the new path, None if there is none.

    If the directory is a symbolic link, the link is renamed and its target is unchanged.

    Args:
        root: directory of the sweep.
        frozen: name of the file that lists the cells.
        cells: names of the cell directories.

    Raises:
        ValueError: the directory is not a sweep, contains foreign files, or is locked by a live process.
        OSError: the directory can't be listed or renamed.
    """
    if not root.is_dir() or not any(root.iterdir()):
        return None
    for entry in (root, *root.iterdir()):
        owner = cell_lock.holder(entry) if entry.is_dir() else None
        if owner is not None:
            raise ValueError(
                f"fresh=true: {entry.name} is being trained by process {owner.get('pid')}; stop that one first"
            )
    if not cells and not (root / frozen).is_file():
        raise ValueError(f"fresh=true: {root} has no {frozen}, so it is not a sweep and is not renamed")
    here = Path.cwd()
    if root.resolve() in (here, *here.parents):
        raise ValueError(f"fresh=true: {root} contains the working directory and is not renamed")
    foreign = sorted(entry.name for entry in root.iterdir() if not _belongs(entry, frozen, cells))
    if foreign:
        raise ValueError(
            f"fresh=true: {root} is not renamed, as it contains {foreign[0]}, which does not belong to the sweep"
            f"{f' ({len(foreign)} such entries)' if len(foreign) > 1 else ''}; move it elsewhere or choose another name"
        )
    number = 1
    while os.path.lexists(renamed := root.with_name(f"{root.name}.{number}")):
        number += 1
    os.rename(root, renamed)
    return renamed


def _belongs(entry: Path, frozen: str, cells: Collection[str]) -> bool:
    """Return True if a directory entry may have been written by a sweep or by its report."""
    if not entry.is_dir():
        return FILES.fullmatch(entry.name) is not None
    if (entry / frozen).exists():  # another sweep
        return False
    is_cell = entry.name in cells or any((entry / name).exists() for name in OF_A_CELL) or cell_lock.remain(entry)
    return is_cell or entry.name in FOLDERS or _is_pictures(entry)


def _is_pictures(folder: Path) -> bool:
    """Return True if a folder contains only files that reports write."""
    return all(not entry.is_dir() and FILES.fullmatch(entry.name) for entry in folder.iterdir())
