"""Results of finished or unfinished sweeps, read from disk, and their selection by `--where`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from gansweep.forking import Forked, can_fork, num_cores
from gansweep.formatting import shortened
from gansweep.sweep.cell import Cell, Result, State, own_record, read_result
from gansweep.sweep.identity import plain
from gansweep.sweep.sweep import existing
from gansweep.sweep.sweep_keys import UNSET, is_number, swept_keys, value

LONGEST_TITLE = 48  # characters
CELLS_OF_A_PROCESS = 500  # at least; fewer are read before a process has started
FORM = 'expected conditions joined by "and", for example "optimizer=adam and lr<1e-2"'
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Study:
    """Results and commands of one or several sweep directories.

    Args:
        directories: directories of the sweeps.
        results: results of their cells, in grid order. Of cells with equal identities in several sweeps only the first
            with a record is kept.
        commands: the distinct command lines of the sweeps.
        code: current hashes of edited or own modules, as `Sweep.code`.
        notes: on the selection of the cells of each sweep.
    """

    directories: tuple[Path, ...]
    results: tuple[Result, ...]
    commands: tuple[str, ...]
    code: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Names of the sweeps, joined by ` + `."""
        return " + ".join(directory.resolve().name for directory in self.directories)

    @property
    def title(self) -> str:
        """`name` for a heading, shortened: the default name of a sweep with many overrides is long."""
        return shortened(self.name, LONGEST_TITLE)

    @cached_property
    def keys(self) -> list[str]:
        """The keys that distinguish the runs, see `swept_keys`."""
        return swept_keys([result.cell for result in self.results])

    @classmethod
    def read(cls, *directories: Path, metric: str | None = None, where: str = "") -> Study:
        """Read sweep directories, optionally only some of the cells.

        Args:
            directories: directories of sweeps.
            metric: only the cells measured by this metric.
            where: only the cells with these settings; see `matching`.

        Raises:
            ValueError: a directory holds no sweep, or no cell is selected.
        """
        results: dict[str, Result] = {}
        commands: dict[str, None] = {}
        code: dict[str, str] = {}
        notes: dict[str, None] = {}
        sweeps = list(map(existing, directories))
        for result in read_results([cell for sweep in sweeps for cell in sweep.all_cells]):
            if result.cell.hash not in results or not results[result.cell.hash].record:
                results[result.cell.hash] = result
        for sweep in sweeps:
            commands |= dict.fromkeys(sweep.commands)
            code |= sweep.code
            notes |= dict.fromkeys(sweep.selection)
        chosen = list(results.values())
        if metric is not None:
            chosen = _measured_by(chosen, metric)
        if where:
            chosen = matching(chosen, where)
        return cls(directories, tuple(chosen), tuple(commands), code, tuple(notes))


def read_results(cells: Sequence[Cell]) -> list[Result]:
    """Return the current results of cells; many are read by one process per core."""
    processes = max(1, min(num_cores() if can_fork() else 1, len(cells) // CELLS_OF_A_PROCESS))
    size = -(-len(cells) // processes)
    forks = [Forked(partial(_own_records, cells[n : n + size])) for n in range(size, len(cells), size)]
    contents = _own_records(cells[:size])
    for fork in forks:
        contents += fork.result()
    # A cell without a usable record is read again, for its state and for the warning, which a fork does not log.
    return [
        read_result(cell) if content is None else Result(cell, State(content["state"]), content)
        for cell, content in zip(cells, contents, strict=True)
    ]


def _own_records(cells: Sequence[Cell]) -> list[dict[str, Any] | None]:
    return [own_record(cell) for cell in cells]


def _measured_by(results: Sequence[Result], metric: str) -> list[Result]:
    selected = [result for result in results if result.metric.get("name") == metric]
    if not selected:
        names = sorted({str(result.metric["name"]) for result in results if result.metric})
        raise ValueError(
            f"--metric {metric}: no cell was measured by this metric, expected one of {', '.join(names) or 'none'}"
        )
    return selected


def matching(results: Sequence[Result], condition: str) -> list[Result]:
    """Return the cells that meet all conditions of a text.

    A condition is KEY OP VALUE with the operators =, !=, <, <=, > and >=. Several values of = or != are separated by
    commas: `optimizer=adam,sgd`. Numbers are compared as numbers, other values as text.

    Args:
        results: the cells.
        condition: conditions joined by `and`.

    Raises:
        ValueError: the text has another form, a setting does not exist, or no cell meets the conditions.
    """
    chosen = list(results)
    for part in re.split(r"\s+and\s+", condition.strip()):
        key, compare, values = _parsed(condition, part)
        if all(_setting(result, key) == UNSET and key not in result.cell.overrides for result in results):
            raise ValueError(f"--where {condition}: no cell has a setting {key}")
        chosen = [result for result in chosen if compare(_setting(result, key), values)]
    if not chosen:
        raise ValueError(f"--where {condition}: no cell meets this condition")
    return chosen


def _parsed(condition: str, part: str) -> tuple[str, Callable[[Any, list[str]], bool], list[str]]:
    found = re.fullmatch(r"\s*([^=<>!\s]+)\s*(!=|<=|>=|=|<|>)\s*(\S.*?)\s*", part)
    if found is None:
        raise ValueError(f"--where {condition}: {FORM}")
    key, sign, text = found.groups()
    values = [value.strip() for value in text.split(",")] if sign in ("=", "!=") else [text]
    if sign not in ("=", "!=") and _number(text) is None:
        raise ValueError(f"--where {condition}: {sign} {text}: expected a number")

    def meets(setting: Any, values: list[str]) -> bool:
        if sign in ("=", "!="):
            return any(_equal(setting, value) for value in values) == (sign == "=")
        return is_number(setting) and COMPARE[sign](setting, _number(values[0]))

    return key, meets, values


def _setting(result: Result, key: str) -> Any:
    return value(result.cell, key)


def _equal(setting: Any, text: str) -> bool:
    amount = _number(text)
    return setting == amount if is_number(setting) and amount is not None else plain(setting) == text


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
