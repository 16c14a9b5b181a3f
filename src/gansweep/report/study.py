"""Results of finished or unfinished sweeps, read from disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gansweep.formatting import shortened
from gansweep.report.where import matching
from gansweep.sweep.cell import Result
from gansweep.sweep.sweep import Sweep

LONGEST_TITLE = 48  # characters


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
        for sweep, found in map(_sweep, directories):
            for result in found:
                if result.cell.hash not in results or not results[result.cell.hash].record:
                    results[result.cell.hash] = result
            commands |= dict.fromkeys(sweep.commands)
            code |= sweep.code
            notes |= dict.fromkeys(sweep.selection)
        chosen = list(results.values())
        if metric is not None:
            chosen = _measured_by(chosen, metric)
        if where:
            chosen = matching(chosen, where)
        return cls(directories, tuple(chosen), tuple(commands), code, tuple(notes))


def _sweep(directory: Path) -> tuple[Sweep, list[Result]]:
    expected = "expected the directory of a sweep, for example outputs/mine"
    if not directory.is_dir():
        raise ValueError(f"{directory}: no such directory, {expected}")
    sweep = Sweep(directory, [])
    results = sweep.results
    if not results:
        raise ValueError(f"{directory}: contains no cells, {expected}")
    return sweep, results


def _measured_by(results: Sequence[Result], metric: str) -> list[Result]:
    selected = [result for result in results if result.metric.get("name") == metric]
    if not selected:
        names = sorted({str(result.metric["name"]) for result in results if result.metric})
        raise ValueError(
            f"--metric {metric}: no cell was measured by this metric, expected one of {', '.join(names) or 'none'}"
        )
    return selected
