"""What one go at a sweep has settled so far."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gansweep.formatting import number
from gansweep.sweep import cell_lock
from gansweep.sweep.cell import CHECKPOINTS, Cell, State, own_record, read_record, traceback_file
from gansweep.sweep.failure import failed_record
from gansweep.sweep.progress import Progress
from gansweep.training import atomic, record

log = logging.getLogger(__name__)

LOG, FOLDERS = "gansweep.log", (".hydra", "samples")


class ClaimLost(Exception):
    """Another process took the cell over, because this one gave no sign of life for minutes."""


class Step:
    """What to call after every step of a cell: it shows how far it is, and raises ClaimLost if the claim was lost.

    Args:
        cell: which is trained.
        claim: this process's claim of it.
        progress: where to show how far it is.
    """

    def __init__(self, cell: Cell, claim: cell_lock.Claim, progress: Progress) -> None:
        self.cell, self.claim, self.progress = cell, claim, progress

    def __call__(self, step: int, total_steps: int, text: str = "") -> None:
        """Show how far the cell is."""
        if self.claim.lost:
            raise ClaimLost(self.cell.name)
        self.progress.step(self.cell.name, step, total_steps, text)

    def guard(self) -> None:
        """Ask the file system whether the claim still counts. To be called before anything is written for the cell.

        Raises:
            ClaimLost: it does not.
        """
        if self.claim.is_lost():
            raise ClaimLost(self.cell.name)


@dataclass
class Outcome:
    """What came of one go at a sweep.

    Args:
        records: of all cells that have one, by hash.
        missing: cells without one.
        interrupted: somebody asked to stop.
    """

    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    missing: list[Cell] = field(default_factory=list)
    interrupted: bool = False

    @property
    def cut_short(self) -> bool:
        """Whether somebody asked to stop while something was left to train."""
        return self.interrupted and bool(self.missing)

    @property
    def exit_code(self) -> int:
        """0: every cell has a result; 1: some have not; 130: interrupted."""
        if self.cut_short:
            return 130
        return int(bool(self.missing) or any(found["state"] == "failed" for found in self.records.values()))


class Work:
    """What has been settled in one go at a sweep's cells, and how what comes is kept.

    Args:
        stop: whether somebody asked to stop.
        progress: where to show how far it is.
        supervisor: the process that watches this one, as its `process.here()`; None if none does.

    `suspected` says that it is the turn of cells whose process died.
    """

    def __init__(
        self, stop: Callable[[], bool], progress: Progress, supervisor: Mapping[str, Any] | None = None
    ) -> None:
        self.stop, self.progress, self.supervisor = stop, progress, supervisor
        self.suspected = False
        self.to_retry: dict[str, dict[str, Any]] = {}
        self.outcome = Outcome()

    def already_settled(self, cell: Cell) -> bool:
        """Take over the record of a cell that has a result, and tell whether it has."""
        found = own_record(cell)
        if found is None or (found["state"] == "failed" and found == self.to_retry.get(cell.hash)):
            return False
        self.outcome.records[cell.hash] = found
        self.progress.skip(State(found["state"]))
        if State(found["state"]).is_result:
            tidy(cell.directory)
        return True

    def claim(self, cell: Cell, together: int = 1) -> cell_lock.Claim | None:
        """Claim a cell's directory; None if a living process has it, or if its process died and it is not its turn.

        A file in place of the directory is put aside.

        Args:
            cell: to train.
            together: how many cells are trained at once.

        Raises:
            OSError: nothing can be written there.
        """
        if os.path.lexists(cell.directory) and not cell.directory.is_dir():
            with contextlib.suppress(FileNotFoundError):  # another process has just done the same
                log.warning("%s is not a directory; renamed to %s", cell.directory, atomic.put_aside(cell.directory))
        claim = cell_lock.Claim.acquire(cell.directory, together=together, supervisor=self.supervisor)
        if claim is None or claim.suspicion is None or (self.suspected and together <= claim.suspicion.limit):
            return claim
        claim.release()
        return None

    def watch(self, cell: Cell, claim: cell_lock.Claim) -> Step:
        """Return what to call after every step of a cell and before every write."""
        return Step(cell, claim, self.progress)

    def keep(self, cell: Cell, found: dict[str, Any]) -> None:
        """Take over the record of a cell that was trained."""
        self.outcome.records[cell.hash] = found
        final = (found.get("metric") or {}).get("final")
        self.progress.finish(cell.name, State(found["state"]), "" if final is None else number(final))

    def keep_failure(
        self, cell: Cell, error: BaseException, wall_s: float, guard: Callable[[], None] = atomic.unguarded
    ) -> None:
        """Make and write the record of a cell that raised.

        Raises:
            ClaimLost: by `guard`, which is called before anything is written.
        """
        guard()
        found = failed_record(cell, error, wall_s)
        self.outcome.records[cell.hash] = found
        try:
            record.write(cell.directory, found)
        except (OSError, ValueError) as unwritten:
            log.warning("its record could not be written: %s", unwritten)
        kind, message = found["error"]["type"], found["error"]["message"]
        log.error("%s failed: %s: %s; traceback in %s", cell.name, kind, message, traceback_file(cell))
        self.progress.finish(cell.name, State.FAILED)


def tidy(directory: Path) -> None:
    """Remove what a process left in a finished cell that died between the record and its claim's release."""
    with contextlib.suppress(OSError):
        if cell_lock.remain(directory) and (claim := cell_lock.Claim.acquire(directory)) is not None:
            (directory / CHECKPOINTS[-1]).unlink(missing_ok=True)
            claim.release(finished=True)


def put_aside(cell: Cell) -> None:
    """Make room in a cell's directory: for its record, and for all that is written during training.

    An older record that is no result, of a failure, of another training or unreadable, is kept under another name,
    and so is a file in place of a folder or a folder, pipe or device in place of a file. Only for the owner of the
    directory's claim; torn files of an earlier owner go.
    """
    directory = cell.directory
    atomic.forget_unfinished(directory)
    path, previous = directory / record.NAME, directory / "record.previous.json"
    if path.is_file():
        other = read_record(directory)
        if other and other["cell"]["hash"] != cell.hash:
            log.warning("%s is of another training, %.8s; renamed to %s", path, other["cell"]["hash"], previous.name)
        if os.path.lexists(previous) and not previous.is_file():
            atomic.put_aside(previous)
        os.replace(path, previous)
    for folder in (directory / name for name in FOLDERS):
        _expect(folder, folder.is_dir())
    inside = [file for name in FOLDERS for file in (directory / name).glob("*")]
    for file in (path, directory / LOG, *directory.glob("events.out.*"), *inside):
        _expect(file, file.is_file())


def _expect(path: Path, fits: bool) -> None:
    """Rename what is not of the kind that is to be written there."""
    if os.path.lexists(path) and not fits and not path.name.count(atomic.UNREADABLE):
        log.warning("%s is in the way; renamed to %s", path, atomic.put_aside(path).name)


# Brings cells to their ends and returns those that it had to leave, for later or for others.
Settle = Callable[[Work, Sequence[Cell]], list[Cell]]
