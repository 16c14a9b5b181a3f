"""Training cells one after the other, so that none can harm another."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gansweep.sweep import claims
from gansweep.sweep.cell import Cell, State, own_record
from gansweep.sweep.failure import failed_record, free_memory
from gansweep.sweep.progress import Progress
from gansweep.sweep.table import number
from gansweep.training import record

log = logging.getLogger(__name__)

Step = Callable[[int, int, str], None]
Train = Callable[[Cell, Callable[[], bool], Step], dict[str, Any]]


class ClaimLost(Exception):
    """Another process took the cell over, because this one gave no sign of life for minutes."""


@dataclass
class Outcome:
    """What came of one go at a sweep.

    Args:
        records: of all cells that have one, by hash.
        missing: cells without one.
        interrupted: somebody asked to stop before the end.
    """

    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    missing: list[Cell] = field(default_factory=list)
    interrupted: bool = False

    @property
    def exit_code(self) -> int:
        """0: every cell has a result; 1: some have not; 130: interrupted."""
        if self.interrupted:
            return 130
        return int(bool(self.missing) or any(found["state"] == "failed" for found in self.records.values()))


class Work:
    """One go at a sweep's cells."""

    def __init__(self, train: Train, stop: Callable[[], bool], progress: Progress) -> None:
        self.train, self.stop, self.progress = train, stop, progress
        self.to_retry: dict[str, dict[str, Any]] = {}
        self.outcome = Outcome()

    def settle(self, cell: Cell) -> bool:
        """Bring a cell to its end; False if that is left for later or for others."""
        if self.stop():
            self.outcome.interrupted = True
        if self.outcome.interrupted:
            return False
        if self._already_settled(cell):
            return True
        try:
            claim = claims.Claim.acquire(cell.directory)
        except OSError as error:
            self.progress.start(cell.name)
            self._keep_failure(cell, error, 0.0)
            return True
        if claim is None:
            return False
        with claim:
            # Between the look and the claim another process may have finished it.
            settled = self._already_settled(cell) or self._train(cell, claim)
            found = self.outcome.records.get(cell.hash)
            if found is not None and State(found["state"]).is_result:
                claim.release(finished=True)
        return settled

    def _already_settled(self, cell: Cell) -> bool:
        found = own_record(cell)
        if found is None or (found["state"] == "failed" and found == self.to_retry.get(cell.hash)):
            return False
        self.outcome.records[cell.hash] = found
        self.progress.skip(State(found["state"]))
        return True

    def _train(self, cell: Cell, claim: claims.Claim) -> bool:
        def step(at: int, total_steps: int, text: str = "") -> None:
            if claim.lost:
                raise ClaimLost(cell.name)
            self.progress.step(at, total_steps, text)

        self.progress.start(cell.name)
        start = time.monotonic()
        try:
            _put_aside(cell.directory)
            found = self.train(cell, self.stop, step)
        except ClaimLost:
            log.warning("%s was taken over by another process", cell.name)
            return False
        except (Exception, SystemExit) as error:
            if _is_interruption(error):
                self.outcome.interrupted = True
                return False
            self._keep_failure(cell, error, time.monotonic() - start)
        else:
            self.outcome.records[cell.hash] = found
            final = (found.get("metric") or {}).get("final")
            self.progress.finish(State(found["state"]), "" if final is None else number(final))
        free_memory()
        return True

    def _keep_failure(self, cell: Cell, error: BaseException, wall_s: float) -> None:
        found = failed_record(cell, error, wall_s)
        log.error("%s failed: %s: %s", cell.name, found["error"]["type"], found["error"]["message"])
        self.outcome.records[cell.hash] = found
        try:
            record.write(cell.directory, found)
        except (OSError, ValueError) as unwritten:
            log.warning("its record could not be written: %s", unwritten)
        self.progress.finish(State.FAILED)


def _put_aside(directory: Path) -> None:
    """Keep an older record that is no result, of a failure or unreadable, under another name."""
    path = directory / record.NAME
    if path.exists():
        os.replace(path, directory / "record.previous.json")


def _is_interruption(error: BaseException) -> bool:
    # Imported here, when something has been trained: a sweep without work needs no torch.
    from gansweep.training.session import Interrupted

    return isinstance(error, Interrupted)
