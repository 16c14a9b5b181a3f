"""Result of a run: its cell, its state and its record. All tables, figures and comparisons read records here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gansweep.sweep.cell import Cell, State, traceback_file
from gansweep.training.record import trained_s


@dataclass(frozen=True)
class Result:
    """A cell with its state and its record.

    Args:
        cell: the cell.
        state: its state.
        record: its record, None while there is no result.
    """

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
        divergence, error = record.get("divergence"), record.get("error")
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
