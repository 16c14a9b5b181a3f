"""Results of a finished or unfinished sweep, read from disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gansweep.sweep.cell import Result
from gansweep.sweep.sweep import Sweep

LONGEST_TITLE = 48  # characters


@dataclass(frozen=True)
class Study:
    """Results and commands of a sweep directory.

    Args:
        directory: directory of the sweep.
        results: results of its cells, in grid order.
        commands: the distinct command lines of the sweep.
        code: current hashes of edited or own modules, as `Sweep.code`.
    """

    directory: Path
    results: tuple[Result, ...]
    commands: tuple[str, ...]
    code: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Name of the sweep for a heading; the default name of a sweep with many overrides is long, and shortened."""
        name = self.directory.resolve().name
        return name if len(name) <= LONGEST_TITLE else f"{name[: LONGEST_TITLE - 1]}…"

    @classmethod
    def read(cls, directory: Path, metric: str | None = None) -> Study:
        """Read a sweep directory, optionally only the cells measured by one metric.

        Raises:
            ValueError: the directory holds no sweep, or no cell was measured by that metric.
        """
        if not directory.is_dir():
            raise ValueError(
                f"{directory}: no such directory, expected the directory of a sweep, for example outputs/mine"
            )
        sweep = Sweep(directory, [])
        results = sweep.results
        if not results:
            raise ValueError(
                f"{directory}: contains no cells, expected the directory of a sweep, for example outputs/mine"
            )
        if metric is not None:
            results = _measured_by(results, metric)
        return cls(directory, tuple(results), tuple(sweep.commands), sweep.code)


def _measured_by(results: Sequence[Result], metric: str) -> list[Result]:
    selected = [result for result in results if result.metric.get("name") == metric]
    if not selected:
        names = sorted({str(result.metric["name"]) for result in results if result.metric})
        raise ValueError(
            f"--metric {metric}: no cell was measured by this metric, expected one of {', '.join(names) or 'none'}"
        )
    return selected
