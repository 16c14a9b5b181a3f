"""A cell of a sweep, its state, its record and its result. Tables, figures and comparisons read records here."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansweep.formatting import counted
from gansweep.sweep import cell_lock, records
from gansweep.sweep.identity import HASH_IN_NAME, digest
from gansweep.sweep.process import ProcessDied
from gansweep.training import checkpoint_step, record
from gansweep.training.record import trained_s

if TYPE_CHECKING:
    from gansweep.training.run import Run


log = logging.getLogger(__name__)

LOG = "gansweep.log"


@dataclass(frozen=True)
class Cell:
    """One run of a sweep.

    Args:
        overrides: command-line overrides by key.
        config: the complete resolved config.
        identity: the part of the config, the data and the code that determines the numbers of the run.
        hash: sha256 of the identity.
        directory: output directory.
        run: the run of the config, if it was built by this process when the config was checked.
    """

    overrides: dict[str, Any]
    config: dict[str, Any]
    identity: dict[str, Any]
    hash: str
    directory: Path
    run: Run | None = field(default=None, compare=False, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        """Omit the run, which holds the data set; another process builds it again."""
        return self.__dict__ | {"run": None}

    @property
    def name(self) -> str:
        """Name of the cell in tables and logs."""
        return self.directory.name

    @property
    def in_race(self) -> bool:
        """Whether the command line asks for a race, in which dropped cells are not trained further."""
        return self.config.get("race") is not None

    @property
    def short_hash(self) -> str:
        """The first digits of the hash, as in the name of the directory."""
        return self.hash[:HASH_IN_NAME]

    @property
    def header(self) -> record.Header:
        """The fields of the cell's record that describe the cell."""
        about = {"name": self.name, "hash": self.hash, "overrides": self.overrides}
        return record.Header(about, self.config, self.identity)

    def as_dict(self) -> dict[str, Any]:
        """Return the cell in JSON types, with its directory relative to that of the sweep."""
        return {
            "name": self.name,
            "hash": self.hash,
            "overrides": self.overrides,
            "identity": self.identity,
            "config": self.config,
        }

    @classmethod
    def from_dict(cls, root: Path, content: Mapping[str, Any]) -> Cell:
        """Create a cell from the result of `as_dict`.

        Raises:
            KeyError, TypeError: a field is missing or has the wrong type.
            ValueError: the identity does not have the stored hash.
        """
        name = Path(str(content["name"])).name
        overrides, config, identity = (dict(content[key]) for key in ("overrides", "config", "identity"))
        if digest(identity) != content["hash"]:
            raise ValueError(f"{name} was edited: its identity does not have the hash {content['hash']}")
        return cls(overrides, config, identity, str(content["hash"]), root / name)


class State(str, Enum):
    """State of a cell."""

    NEW = "new"
    RESUMABLE = "resumable"
    CLAIMED = "claimed"
    COMPLETED = "completed"
    DIVERGED = "diverged"
    DROPPED = "dropped"
    FAILED = "failed"

    @property
    def is_result(self) -> bool:
        """True if the cell needs no further training. A divergence is a result."""
        return self in (State.COMPLETED, State.DIVERGED)


def cells(count: int) -> str:
    """Return a number of cells as text.

    >>> cells(1), cells(2)
    ('1 cell', '2 cells')
    """
    return counted(count, "cell")


def state(cell: Cell) -> State:
    """Return the state of a cell, read from its directory.

    An existing record, including that of a failure, determines the state. It is renamed before a failed cell is trained
    again.
    """
    return read_result(cell).state


def read_result(cell: Cell) -> Result:
    """Return the result of a cell as its directory has it, with the state as described for `state`."""
    content = own_record(cell)
    return Result(cell, _state_without_record(cell) if content is None else State(content["state"]), content)


def _state_without_record(cell: Cell) -> State:
    if cell_lock.holder(cell.directory) is not None:
        return State.CLAIMED
    return State.RESUMABLE if checkpoint_step.exists(cell.directory) else State.NEW


def traceback_file(cell: Cell, error: Mapping[str, Any]) -> Path | None:
    """Return the file with the traceback of a failed cell: its log, or its record if it has no log.

    None if there is no such file. The record of a cell whose process died holds no traceback.
    """
    log_file, record_file = cell.directory / LOG, cell.directory / record.NAME
    files = (log_file,) if error.get("type") == ProcessDied.__name__ else (log_file, record_file)
    return next((file for file in files if file.is_file()), None)


def own_record(cell: Cell) -> dict[str, Any] | None:
    """Return the record of a cell, None if there is none or if it belongs to another run."""
    content = read_record(cell.directory)
    return content if content and content["cell"]["hash"] == cell.hash else None


def read_record(directory: Path) -> dict[str, Any] | None:
    """Return the record in a directory, None if there is none; log one warning for an unreadable record."""
    try:
        return records.read(directory)
    except records.UnreadableRecord as error:
        if str(error) not in _logged:
            _logged.add(str(error))
            log.warning("%s", error)
        return None


_logged: set[str] = set()  # messages logged so far: a sweep reads its records many times


@dataclass(frozen=True)
class Result:
    """A cell with its state and its record."""

    cell: Cell
    state: State
    record: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, directory: Path, record: Mapping[str, Any]) -> Result:
        """Return the result that a record describes, as read from a directory by `records.read`."""
        cell = record["cell"]
        return cls(
            Cell(cell["overrides"], record["config"], record["identity"], cell["hash"], directory),
            State(record["state"]),
            record,
        )

    @property
    def metric(self) -> Mapping[str, Any]:
        """The record's metric, empty if nothing was measured."""
        return (self.record or {}).get("metric") or {}

    @property
    def metric_2(self) -> Mapping[str, Any]:
        """The record's second metric, empty without one."""
        return (self.record or {}).get("metric_2") or {}

    @property
    def further_metrics(self) -> Sequence[Mapping[str, Any]]:
        """The metrics that were measured after the training, by `python -m gansweep.measure`."""
        return (self.record or {}).get("further_metrics") or []

    @property
    def final(self) -> float | None:
        """The metric's value after the last step, None if there is none."""
        return self.metric.get("final")

    @property
    def untrained(self) -> float | None:
        """The metric's value before the first step, None if there is none."""
        return self.metric.get("untrained")

    @property
    def lower_is_better(self) -> bool:
        """The direction of the metric."""
        return bool(self.metric.get("lower_is_better", True))

    @property
    def evaluations(self) -> Sequence[Mapping[str, Any]]:
        """All evaluations of the metric, in the order of their steps."""
        return self.metric.get("evaluations") or []

    def values(self, key: str = "value") -> dict[int, float]:
        """Return the measured values by step: `value` of the metric, `value_2` of the second metric."""
        return {e["step"]: e[key] for e in self.evaluations if e.get(key) is not None}

    @property
    def trained_s(self) -> dict[int, float]:
        """Training time in seconds at every evaluation, by step; for a member of a pack, that of the whole pack."""
        return trained_s(self.record) if self.record else {}

    @property
    def diverged_at(self) -> int | None:
        """Step of the divergence, None if the run did not diverge."""
        return ((self.record or {}).get("divergence") or {}).get("step")

    @property
    def trouble(self) -> str:
        """Description of why there is no final value; empty if there was no problem."""
        record = self.record or {}
        divergence, error, dropped = record.get("divergence"), record.get("error"), record.get("dropped")
        if dropped:
            return f"dropped at step {dropped.get('step')} by the race"
        if divergence:
            return f"diverged at step {divergence.get('step')}, {divergence.get('player')}: {divergence.get('cause')}"
        if error:
            first = (str(error.get("message")).strip().splitlines() or [""])[0]
            return f"failed: {error.get('type')}: {first}"
        if self.metric and self.final is None:
            reasons = [e.get("reason") for e in self.evaluations if e.get("reason")]
            return f"not measured: {reasons[-1]}" if reasons else "not measured"
        return ""

    @property
    def traceback(self) -> str:
        """Path of the file with the traceback of a failed cell, relative to the sweep; empty if there is none."""
        error = (self.record or {}).get("error")
        file = traceback_file(self.cell, error) if error else None
        return file.relative_to(self.cell.directory.parent).as_posix() if file else ""
