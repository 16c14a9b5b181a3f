"""A sweep's own directory: no other one is ever renamed."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from pathlib import Path

from gansweep.sweep import cell_lock
from gansweep.sweep.cell import CHECKPOINTS, LOG
from gansweep.training import record

# What a sweep, its reports and its pictures leave beside the cells.
FILES = re.compile(r"events\.out\.tfevents\..+|.+\.(json|md|csv|yaml|html|tex|txt|png|svg|pdf|gif|npz|log)|\..+")
FOLDERS = (".submitit", ".ray", ".ipynb_checkpoints")
OF_A_CELL = (record.NAME, ".hydra", LOG, *CHECKPOINTS)


def rename(root: Path, frozen: str, cells: Collection[str]) -> Path | None:
    """Rename an old sweep to `<root>.1`, `.2`, ..., to start over; None if there is none.

    A directory that is a symbolic link is renamed itself; what it points to stays where it is.

    Args:
        root: of the sweep.
        frozen: name of the file that lists the cells.
        cells: names of the directories of its cells.

    Raises:
        ValueError: it is no sweep, holds something else too, or a living process works in it.
        OSError: it can't be listed or renamed.
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
        raise ValueError(f"fresh=true: {root} has no {frozen}, so it is no sweep and is not renamed")
    here = Path.cwd()
    if root.resolve() in (here, *here.parents):
        raise ValueError(f"fresh=true: {root} holds the working directory and is not renamed")
    foreign = sorted(entry.name for entry in root.iterdir() if not _belongs(entry, frozen, cells))
    if foreign:
        raise ValueError(
            f"fresh=true: {root} is not renamed, as it holds {foreign[0]}, which is not the sweep's"
            f"{f' ({len(foreign)} of such)' if len(foreign) > 1 else ''}; move it elsewhere or choose another name"
        )
    place = 1
    while os.path.lexists(aside := root.with_name(f"{root.name}.{place}")):
        place += 1
    os.rename(root, aside)
    return aside


def _belongs(entry: Path, frozen: str, cells: Collection[str]) -> bool:
    """Return whether a sweep, or a report of one, may have left an entry of its directory."""
    if not entry.is_dir():
        return FILES.fullmatch(entry.name) is not None
    if (entry / frozen).exists():  # another sweep
        return False
    is_cell = entry.name in cells or any((entry / name).exists() for name in OF_A_CELL) or cell_lock.remain(entry)
    return is_cell or entry.name in FOLDERS or _is_pictures(entry)


def _is_pictures(folder: Path) -> bool:
    """Return whether a folder holds nothing but what reports write."""
    return all(not entry.is_dir() and FILES.fullmatch(entry.name) for entry in folder.iterdir())
