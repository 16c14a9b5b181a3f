"""Result of a cell, as used by tables and reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gansweep.sweep.cell import Cell, State, traceback_file


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

    @property
    def metric(self) -> Mapping[str, Any]:
        """The record's metric, empty if nothing was measured."""
        return (self.record or {}).get("metric") or {}

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
            reasons = [e.get("reason") for e in self.metric.get("evaluations", []) if e.get("reason")]
            return f"not measured: {reasons[-1]}" if reasons else "not measured"
        return ""

    @property
    def traceback(self) -> str:
        """Path of the file with the traceback of a failed cell, relative to the sweep; empty if it did not fail."""
        if not (self.record or {}).get("error"):
            return ""
        return traceback_file(self.cell).relative_to(self.cell.directory.parent).as_posix()
