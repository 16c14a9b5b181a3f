"""Command lines that train single cells of a sweep."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Sequence
from functools import cached_property
from typing import Any

from gansweep.report.study import Study
from gansweep.sweep.cell import Cell
from gansweep.sweep.identity import plain

PROGRAM = "python -m gansweep"


class CellCommands:
    """Command lines of some cells, divided into the part that all have in common and the rest.

    They contain the overrides that occur in a command line of the study and those that vary; other overrides of a cell
    are choices of an experiment, or defaults. The line of a cell that has a record trains nothing: it names the same
    sweep and the same cell.

    Args:
        study: the sweep.
        cells: the cells.
        varied: keys that differ between cells.
    """

    def __init__(self, study: Study, cells: Sequence[Cell], varied: Collection[str]) -> None:
        self.cells, self.study = cells, study
        self.typed = {*varied, *(key for line in study.commands for key in _keys(line))}

    @cached_property
    def shared(self) -> str:
        """The program, and the overrides that all cells have in common."""
        name = [f"name={plain(self.study.name)}"] if len(self.study.directories) == 1 else []
        return " ".join([PROGRAM, *_quoted([*self._common, *name])])

    def rest(self, cell: Cell) -> str:
        """Return the overrides of a cell that are not in `shared`."""
        return " ".join(_quoted([line for line in self._overrides(cell) if line not in self._common]))

    @cached_property
    def _common(self) -> list[str]:
        lines = [self._overrides(cell) for cell in self.cells]
        return [line for line in lines[0] if all(line in others for others in lines[1:])] if lines else []

    def _overrides(self, cell: Cell) -> list[str]:
        return [f"{key}={plain(value)}" for key, value in cell.overrides.items() if key.lstrip("+~") in self.typed]


def _keys(command: str) -> list[str]:
    """Return the keys of the overrides in a command line.

    >>> _keys("python -m gansweep -m optimizer@optimizer_d=sgd '+a.b=[1, 2]' lr=1e-4,1e-3")
    ['optimizer@optimizer_d', 'a.b', 'lr']
    """
    return re.findall(r"(?:^|\s)['\"]?[+~]*([\w./@]+)=", command)


def _quoted(overrides: Sequence[Any]) -> list[str]:
    return [shlex.quote(override) for override in overrides]
