"""State of one execution of a sweep: records, claims and failures of its cells."""

from __future__ import annotations

import contextlib
import logging
import os
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from gansweep.formatting import number
from gansweep.sweep import cell_lock
from gansweep.sweep.cell import LOG, Cell, State, own_record, read_record, traceback_file
from gansweep.sweep.progress import Progress
from gansweep.training import atomic, checkpoint_step, record

log = logging.getLogger(__name__)

FOLDERS = (".hydra", "samples")


class ClaimLost(Exception):
    """Raised if another process took over the cell, because the heartbeat of this process was stale."""


class StepCallback:
    """Callback for every step of a cell: shows the progress, and raises ClaimLost if the claim was lost."""

    def __init__(self, cell: Cell, claim: cell_lock.Claim, progress: Progress) -> None:
        self.cell, self.claim, self.progress = cell, claim, progress

    def __call__(self, step: int, total_steps: int, text: str = "") -> None:
        """Show the progress of the cell."""
        if self.claim.lost:
            raise ClaimLost(self.cell.name)
        self.progress.step(self.cell.name, step, total_steps, text)

    def guard(self) -> None:
        """Check in the file system that the claim is valid. To be called before any write for the cell.

        Raises:
            ClaimLost: the claim is no longer valid.
        """
        if self.claim.is_lost():
            raise ClaimLost(self.cell.name)


@dataclass
class Outcome:
    """Outcome of one execution of a sweep.

    Args:
        records: records of the cells that have one, by hash.
        missing: cells without a record.
        interrupted: True if a stop was requested or the device failed.
        device_failed: True if the device failed. The cells in training can be continued.
        out_of_time: True if cells are missing because of the limit `hours`.
    """

    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    missing: list[Cell] = field(default_factory=list)
    interrupted: bool = False
    device_failed: bool = False
    out_of_time: bool = False

    @property
    def cut_short(self) -> bool:
        """True if the sweep was stopped before all cells were trained."""
        return self.interrupted and bool(self.missing)

    @property
    def exit_code(self) -> int:
        """0: every cell has a result, or the time is over; 1: some cells have none or failed; 130: interrupted."""
        if self.cut_short and not self.device_failed:
            return 130
        incomplete = bool(self.missing) and not self.out_of_time
        return int(incomplete or any(content["state"] == "failed" for content in self.records.values()))

    def ended_by(self, stopped_by_user: bool) -> Outcome:
        """Return the outcome of a command with a time limit.

        Without a request to stop and a failure of the device, missing cells are those that did not fit into the time.
        """
        by_time = bool(self.missing) and not stopped_by_user and not self.device_failed
        return replace(self, interrupted=self.interrupted and not by_time, out_of_time=by_time)


class RunState:
    """State of one execution of a sweep; claims cells and stores their records.

    Args:
        stop: returns True if a stop was requested.
        progress: progress display.
        supervisor: `process.here()` of the process that monitors this one; None if there is none.

    `crashed` is True while cells whose process died are trained.
    """

    def __init__(
        self, stop: Callable[[], bool], progress: Progress, supervisor: Mapping[str, Any] | None = None
    ) -> None:
        self.stop, self.progress, self.supervisor = stop, progress, supervisor
        self.crashed = False
        self.to_retry: dict[str, dict[str, Any]] = {}
        self.outcome = Outcome()

    def is_done(self, cell: Cell) -> bool:
        """Return True if a cell has a record and need not be trained; store the record in the outcome."""
        content = own_record(cell)
        if content is None or (content["state"] == "failed" and content == self.to_retry.get(cell.hash)):
            return False
        if content["state"] == "dropped" and not cell.in_race:
            return False
        self.outcome.records[cell.hash] = content
        self.progress.skip(State(content["state"]))
        if State(content["state"]).is_result:
            clean_up(cell.directory)
        return True

    def claim(self, cell: Cell, together: int = 1) -> cell_lock.Claim | None:
        """Lock the directory of a cell; return None if it is locked by a live process or deferred after a death.

        Cells whose process died are deferred to the end of the sweep (`crashed`). A file at the path of the directory
        is renamed.

        Raises:
            OSError: the directory is not writable.
        """
        if os.path.lexists(cell.directory) and not cell.directory.is_dir():
            with contextlib.suppress(FileNotFoundError):  # another process has just done the same
                log.warning("%s is not a directory; renamed to %s", cell.directory, atomic.put_aside(cell.directory))
        claim = cell_lock.Claim.acquire(cell.directory, together=together, supervisor=self.supervisor)
        if claim is None or claim.crash_history is None or (self.crashed and together <= claim.crash_history.limit):
            return claim
        claim.release()
        return None

    def callback(self, cell: Cell, claim: cell_lock.Claim) -> StepCallback:
        """Return the callback for every step of a cell; its `guard` is to be called before every write."""
        return StepCallback(cell, claim, self.progress)

    def record_result(self, cell: Cell, content: dict[str, Any]) -> None:
        """Store the record of a trained cell in the outcome."""
        self.outcome.records[cell.hash] = content
        final, dropped = (content.get("metric") or {}).get("final"), content.get("dropped")
        text = "" if final is None else number(final)
        self.progress.finish(
            cell.name, State(content["state"]), f"at step {dropped['step']} by the race" if dropped else text
        )

    def record_failure(
        self, cell: Cell, error: BaseException, wall_s: float, guard: Callable[[], None] = atomic.unguarded
    ) -> None:
        """Write the record of a cell that raised an exception, and store it in the outcome.

        Raises:
            ClaimLost: raised by `guard`, which is called before anything is written.
        """
        guard()
        content = failed_record(cell, error, wall_s)
        self.outcome.records[cell.hash] = content
        try:
            record.write(cell.directory, content)
        except (OSError, ValueError) as unwritten:
            log.warning("the record of %s could not be written: %s", cell.name, unwritten)
        kind, message = content["error"]["type"], content["error"]["message"]
        file = traceback_file(cell, content["error"])
        log.error("%s failed: %s: %s%s", cell.name, kind, message, f"; traceback in {file}" if file else "")
        self.progress.finish(cell.name, State.FAILED)


def failed_record(cell: Cell, error: BaseException, wall_s: float = 0.0) -> dict[str, Any]:
    """Return the record of a cell that raised an exception."""
    message = str(error) if str(error) else repr(error)
    content = {
        "format": record.FORMAT,
        "state": "failed",
        **vars(cell.header),
        "steps": 0,
        "metric": None,
        "divergence": None,
        "error": {
            "type": type(error).__name__,
            "message": message,
            "traceback": "".join(traceback.format_exception(type(error), error, error.__traceback__)),
        },
        "seeds": {"member": cell.config.get("seed")},
        "versions": record.versions(),
        "device": {},
        "time": {
            "started": None,
            # microseconds distinguish a second failure from the first one
            "finished": datetime.now(timezone.utc).isoformat(timespec="microseconds"),
            "wall_s": round(wall_s, 3),
            "steps_per_s": None,
            "eval_s": None,
        },
    }
    return record.in_json(content)


def clean_up(directory: Path) -> None:
    """Remove the claim and checkpoint of a process that died after writing the record of a finished cell."""
    with contextlib.suppress(OSError):
        if cell_lock.has_claim_file(directory) and (claim := cell_lock.Claim.acquire(directory)) is not None:
            (directory / checkpoint_step.NAMES[-1]).unlink(missing_ok=True)
            claim.release(finished=True)


def prepare_directory(cell: Cell) -> None:
    """Prepare the directory of a cell for training, by renaming or removing what would be overwritten.

    An older record that is not a result (a failure, another run, or unreadable) is renamed. A file at the path of a
    folder, and a folder, pipe or device at the path of a file, is renamed too. Incomplete files of an earlier owner are
    deleted. Only the owner of the claim may call this.
    """
    directory = cell.directory
    atomic.forget_unfinished(directory)
    path, previous = directory / record.NAME, directory / "record.previous.json"
    if path.is_file():
        other = read_record(directory)
        if other and other["cell"]["hash"] != cell.hash:
            log.warning("%s belongs to another run, %.8s; renamed to %s", path, other["cell"]["hash"], previous.name)
        if os.path.lexists(previous) and not previous.is_file():
            atomic.put_aside(previous)
        path.replace(previous)
    for folder in (directory / name for name in FOLDERS):
        rename_misplaced(folder, folder.is_dir())
    inside = [file for name in FOLDERS for file in (directory / name).glob("*")]
    for file in (path, directory / LOG, *directory.glob("events.out.*"), *inside):
        rename_misplaced(file, file.is_file())


def rename_misplaced(path: Path, fits: bool) -> None:
    """Rename an entry of the wrong kind at a path that will be written."""
    if os.path.lexists(path) and not fits and not path.name.count(atomic.UNREADABLE):
        log.warning(
            "%s is a file or a folder where the other one is expected; renamed to %s", path, atomic.put_aside(path).name
        )


# Trains cells and returns those that were left for later or for other processes.
Executor = Callable[[RunState, Sequence[Cell]], list[Cell]]
