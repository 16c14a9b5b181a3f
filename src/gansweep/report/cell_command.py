"""Command lines that train single cells of a sweep."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Sequence
from functools import cached_property
from typing import NamedTuple

from gansweep.report.study import Study
from gansweep.sweep.cell import Cell
from gansweep.sweep.identity import plain

PROGRAM = "python -m gansweep"
CONFIG_OPTIONS = ("--config-dir", "-cd", "--config-path", "-cp", "--config-name", "-cn")


class CellCommands:
    """Command lines of some cells, divided into the part that all have in common and the rest.

    They contain the overrides and options that occur in a command line of the study, and the overrides that vary; other
    overrides of a cell are choices of an experiment, or defaults. The line of a cell that has a record trains nothing:
    it names the same sweep and the same cell.

    Args:
        study: the sweep.
        cells: the cells.
        varied: keys that differ between cells.
    """

    def __init__(self, study: Study, cells: Sequence[Cell], varied: Collection[str]) -> None:
        self.cells, self.study, self.varied = cells, study, varied
        self.typed = _typed(study.commands)

    @cached_property
    def shared(self) -> str:
        """The program, and the options and overrides that all cells have in common."""
        name = [f"name={plain(self.study.name)}"] if len(self.study.directories) == 1 else []
        return " ".join([PROGRAM, *_quoted([*self.typed.verbatim, *self._common, *name])])

    def rest(self, cell: Cell) -> str:
        """Return the overrides of a cell that are not in `shared`."""
        return " ".join(_quoted([line for line in self._overrides(cell) if line not in self._common]))

    @cached_property
    def _common(self) -> list[str]:
        lines = [self._overrides(cell) for cell in self.cells]
        return [line for line in lines[0] if all(line in others for others in lines[1:])] if lines else []

    def _overrides(self, cell: Cell) -> list[str]:
        settings = {key.lstrip("+~"): value for key, value in cell.overrides.items()}
        kept = {key: value for key, value in settings.items() if key in self.typed.prefixes or key in self.varied}
        return [f"{self.typed.prefixes.get(key, '')}{key}={plain(value)}" for key, value in kept.items()]


class Typed(NamedTuple):
    """Parts of command lines.

    Args:
        prefixes: `+`, `++` or nothing, by the key of an override.
        verbatim: options that name configurations, and deletions such as `~metric`.
    """

    prefixes: dict[str, str]
    verbatim: list[str]


def _typed(commands: Sequence[str]) -> Typed:
    """Return the overrides and options that occur in command lines.

    >>> _typed(["python -m gansweep -m --config-dir conf '~metric' +a.b=1 optimizer@optimizer_d=sgd lr=1e-4,1e-3"])
    Typed(prefixes={'a.b': '+', 'optimizer@optimizer_d': '', 'lr': ''}, verbatim=['--config-dir', 'conf', '~metric'])
    """
    prefixes: dict[str, str] = {}
    verbatim: dict[tuple[str, ...], None] = {}
    for command in commands:
        words = iter(_words(command))
        for word in words:
            if word.partition("=")[0] in CONFIG_OPTIONS:
                verbatim[(word,) if "=" in word else (word, next(words, ""))] = None
            elif word.startswith("~"):
                verbatim[word,] = None
            elif override := re.match(r"(\+*)([\w./@]+)=", word):
                prefixes[override[2]] = override[1]
    return Typed(prefixes, [word for words in verbatim for word in words])


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:  # edited by hand
        return command.split()


def _quoted(words: Sequence[str]) -> list[str]:
    return [shlex.quote(word) for word in words]
