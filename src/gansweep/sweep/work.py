"""What one go at a sweep has settled so far."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gansweep.sweep import claims
from gansweep.sweep.cell import CHECKPOINTS, Cell, State, own_record
from gansweep.sweep.failure import failed_record
from gansweep.sweep.progress import Progress
from gansweep.text import number
from gansweep.training import atomic, record

log = logging.getLogger(__name__)

Step = Callable[[int, int, str], None]


class ClaimLost(Exception):
    """Another process took the cell over, because this one gave no sign of life for minutes."""


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
    """

    def __init__(self, stop: Callable[[], bool], progress: Progress) -> None:
        self.stop, self.progress = stop, progress
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

    def watch(self, cell: Cell, claim: claims.Claim) -> Step:
        """Return what to call after every step of a cell: it shows how far it is, and raises if the claim was lost."""

        def step(at: int, total_steps: int, text: str = "") -> None:
            if claim.lost:
                raise ClaimLost(cell.name)
            self.progress.step(cell.name, at, total_steps, text)

        return step

    def keep(self, cell: Cell, found: dict[str, Any]) -> None:
        """Take over the record of a cell that was trained."""
        self.outcome.records[cell.hash] = found
        final = (found.get("metric") or {}).get("final")
        self.progress.finish(cell.name, State(found["state"]), "" if final is None else number(final))

    def keep_failure(self, cell: Cell, error: BaseException, wall_s: float) -> None:
        """Make and write the record of a cell that raised."""
        found = failed_record(cell, error, wall_s)
        log.error("%s failed: %s: %s", cell.name, found["error"]["type"], found["error"]["message"])
        self.outcome.records[cell.hash] = found
        try:
            record.write(cell.directory, found)
        except (OSError, ValueError) as unwritten:
            log.warning("its record could not be written: %s", unwritten)
        self.progress.finish(cell.name, State.FAILED)


def tidy(directory: Path) -> None:
    """Remove what a process left in a finished cell that died between the record and its claim's release."""
    with contextlib.suppress(OSError):
        if claims.remain(directory) and (claim := claims.Claim.acquire(directory)) is not None:
            (directory / CHECKPOINTS[-1]).unlink(missing_ok=True)
            claim.release(finished=True)


def put_aside(directory: Path) -> None:
    """Keep an older record that is no result, of a failure or unreadable, under another name.

    Only for the owner of the directory's claim; torn files of an earlier owner go.
    """
    atomic.forget_unfinished(directory)
    path = directory / record.NAME
    if path.exists():
        os.replace(path, directory / "record.previous.json")


# Brings cells to their ends and returns those that it had to leave, for later or for others.
Settle = Callable[[Work, Sequence[Cell]], list[Cell]]
