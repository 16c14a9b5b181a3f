"""Branch points: copies of a run's checkpoint and outputs after a step, from which other runs of the sweep begin.

A branch point is the folder `branch_<step>` in the directory of a cell. It is laid out as the directory of a cell that
was stopped after this step, and is removed once the sweep has no unfinished cells.
"""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansweep.training import atomic, events, kept

if TYPE_CHECKING:
    from gansweep.training.run import Run

log = logging.getLogger(__name__)

FOLDER = re.compile(r"branch_\d+(\.new)?")  # `.new`: not complete


def path_of(directory: Path, step: int) -> Path:
    """Return the folder of the branch point after a step."""
    return directory / f"branch_{step}"


def write(
    run: Run,
    directory: Path,
    step: int,
    identity: Mapping[str, Any],
    content: Mapping[str, Any],
    guard: Callable[[], None] = atomic.unguarded,
) -> None:
    """Write a branch point, unless it exists. If it can't be written, a warning is logged.

    Args:
        run: the run.
        directory: of its cell.
        step: of the run.
        identity: of the run.
        content: of its checkpoint, with tensors on the CPU.
        guard: called before the folder gets its final name; raises if this process must not write any more.
    """
    from gansweep.training import checkpoint

    final = path_of(directory, step)
    if final.exists():
        return
    folder = final.with_name(f"{final.name}.new")
    try:
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir()
        copy_outputs(directory, folder, run, step)
        checkpoint.save(folder, identity, content)
        guard()
        folder.rename(final)
    except OSError as error:
        log.warning("no branch point at step %d: %s; the cells that would begin there train more steps", step, error)


def remove(directory: Path) -> None:
    """Delete all branch points of a cell."""
    for entry in directory.glob("branch_*"):
        if FOLDER.fullmatch(entry.name) and entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)


def copy_outputs(source: Path, directory: Path, run: Run, step: int) -> None:
    """Copy pictures, TensorBoard events and kept weights up to a step to the directory of another run.

    Args:
        source: directory of a cell, or branch point.
        directory: where they are copied.
        run: the run for which they are copied; it may keep fewer of them.
        step: the last step.

    Raises:
        OSError: they can't be copied.
    """
    from gansweep.training.run import Intervals

    for path in source.glob("*/step_*.*"):
        number = path.stem.removeprefix("step_")
        if path.parent.name != kept.FOLDER and number.isdigit() and int(number) <= step:
            (directory / path.parent.name).mkdir(exist_ok=True)
            shutil.copyfile(path, directory / path.parent.name / path.name)
    if run.trainer.tensorboard:
        for path in events.event_files(source):
            if path.name not in (events.ROW, events.END):
                shutil.copyfile(path, directory / path.name)
    if run.trainer.keep != "last":
        kept.copy(source, directory, Intervals(run.trainer, run.steps).evaluations(step))
