"""A sweep as it lies on disk, finished or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gansweep.sweep.result import Result
from gansweep.sweep.sweep import Sweep


@dataclass(frozen=True)
class Study:
    """What a report is about.

    Args:
        directory: of the sweep.
        results: its cells, in the order of the grid.
        commands: the lines that were typed, each once.
    """

    directory: Path
    results: tuple[Result, ...]
    commands: tuple[str, ...]

    @classmethod
    def read(cls, directory: Path, metric: str | None = None) -> Study:
        """Read a sweep, or of it the cells that were measured by one metric.

        Raises:
            ValueError: there is no sweep, or nothing was measured by that metric.
        """
        if not directory.is_dir():
            raise ValueError(f"{directory}: there is no such directory, expected one of a sweep such as outputs/mine")
        sweep = Sweep(directory, [])
        results = sweep.results
        if not results:
            raise ValueError(f"{directory} holds no cells of a sweep, expected a directory such as outputs/mine")
        if metric is not None:
            results = _measured_by(results, metric)
        return cls(directory, tuple(results), tuple(sweep.commands))


def _measured_by(results: Sequence[Result], metric: str) -> list[Result]:
    kept = [result for result in results if result.metric.get("name") == metric]
    if not kept:
        names = sorted({str(result.metric["name"]) for result in results if result.metric})
        raise ValueError(f"--metric {metric}: nothing was measured by it, expected one of {', '.join(names) or 'none'}")
    return kept
