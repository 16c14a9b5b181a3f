"""One combination of a sweep, and how far it has come."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from gansweep.sweep import cell_lock, records
from gansweep.sweep.identity import digest
from gansweep.training import record

log = logging.getLogger(__name__)

LOG = "gansweep.log"
CHECKPOINTS = ("checkpoint.pt", "checkpoint.pt.new", "checkpoint.previous.pt")


@dataclass(frozen=True)
class Cell:
    """One training of a sweep.

    Args:
        overrides: what was said about it on the command line, by key.
        config: its whole resolved config.
        identity: which training it is.
        hash: of the identity.
        directory: where it leaves everything.
    """

    overrides: dict[str, Any]
    config: dict[str, Any]
    identity: dict[str, Any]
    hash: str
    directory: Path

    @property
    def name(self) -> str:
        """What it is called in tables and logs."""
        return self.directory.name

    def as_dict(self) -> dict[str, Any]:
        """Return it in JSON's types, its directory relative to the sweep's."""
        return {
            "name": self.name,
            "hash": self.hash,
            "overrides": self.overrides,
            "identity": self.identity,
            "config": self.config,
        }

    @classmethod
    def from_dict(cls, root: Path, content: Mapping[str, Any]) -> Cell:
        """Read one of `as_dict`.

        Raises:
            KeyError, TypeError: something is missing or of another kind.
            ValueError: its identity is not the one that was hashed.
        """
        name = Path(str(content["name"])).name
        overrides, config, identity = (dict(content[key]) for key in ("overrides", "config", "identity"))
        if digest(identity) != content["hash"]:
            raise ValueError(f"{name} was edited: its identity does not have the hash {content['hash']}")
        return cls(overrides, config, identity, str(content["hash"]), root / name)


class State(str, Enum):
    """How far a cell has come."""

    NEW = "new"
    RESUMABLE = "resumable"
    CLAIMED = "claimed"
    COMPLETED = "completed"
    DIVERGED = "diverged"
    FAILED = "failed"

    @property
    def is_result(self) -> bool:
        """Whether there is nothing left to train. A divergence is a result."""
        return self in (State.COMPLETED, State.DIVERGED)


def cells(count: int) -> str:
    """Write how many there are.

    >>> cells(1), cells(2)
    ('1 cell', '2 cells')
    """
    return f"{count} cell" if count == 1 else f"{count} cells"


def state(cell: Cell) -> State:
    """Look how far a cell has come.

    A record, be it of a failure, says all: before a failed cell is tried again, it is put aside.
    """
    content = own_record(cell)
    if content is not None:
        return State(content["state"])
    if cell_lock.holder(cell.directory) is not None:
        return State.CLAIMED
    return State.RESUMABLE if any((cell.directory / name).exists() for name in CHECKPOINTS) else State.NEW


def traceback_file(cell: Cell) -> Path:
    """Return the file that holds the traceback of a failed cell: its log, or its record where it has no log."""
    log_file = cell.directory / LOG
    return log_file if log_file.is_file() else cell.directory / record.NAME


def own_record(cell: Cell) -> dict[str, Any] | None:
    """Read a cell's record, None if there is none or it is of another training."""
    content = read_record(cell.directory)
    return content if content and content["cell"]["hash"] == cell.hash else None


def read_record(directory: Path) -> dict[str, Any] | None:
    """Read a cell's record, None if there is none; an unreadable one is named in one warning."""
    try:
        return records.read(directory)
    except records.UnreadableRecord as error:
        if str(error) not in _told:
            _told.add(str(error))
            log.warning("%s", error)
        return None


_told: set[str] = set()  # a sweep looks at its records again and again
