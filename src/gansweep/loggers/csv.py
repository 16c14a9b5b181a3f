"""Curves as CSV files in the folder `curves` of the sweep."""

from __future__ import annotations

import csv
import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansweep.formatting import csv_text
from gansweep.interfaces import LoggedRun
from gansweep.loggers import locked
from gansweep.training import atomic

if TYPE_CHECKING:
    from torch import Tensor

FOLDER, LOCK = "curves", ".lock"
OF_RUN, OF_GROUP = ("step", "tag", "value"), ("step", "tag", "mean", "deviation", "n")
MAX_PENDING = 10_000  # points in memory
HASH_IN_NAME = 8


@dataclass(frozen=True)
class CSV:
    """Curves as CSV files: `curves/GROUP.HASH.csv` of each run, `curves/GROUP.csv` with the mean over seeds.

    GROUP is the name of the configuration without its seed, HASH the end of the cell's name. The file of a group has
    the mean, the sample standard deviation (n - 1) and the number n of the finite values of all its runs at each step;
    it is written whenever a run ends. Pictures are not logged: they are in `samples/` of the cell.
    """

    def open(self, run: LoggedRun) -> Curves:
        """Return the file of a run."""
        return Curves(run)


class Curves:
    """CSV file of one run.

    Args:
        run: the run; points after its first step are removed from an existing file.

    Raises:
        OSError: raised by all methods if a file can't be written.
    """

    def __init__(self, run: LoggedRun) -> None:
        self.folder, self.group = run.directory.parent / FOLDER, run.group
        self.path = self.folder / f"{run.group}.{run.name[-HASH_IN_NAME:]}.csv"
        self._pending: list[dict[str, Any]] = []
        self.folder.mkdir(exist_ok=True)
        self._keep_until(run.step if run.step else -1)

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Add one point to each curve."""
        self._pending += [{"step": step, "tag": tag, "value": value} for tag, value in values.items()]
        if len(self._pending) > MAX_PENDING:
            self.flush()

    def picture(self, tag: str, picture: Tensor, step: int) -> None:
        """Do nothing."""

    def flush(self) -> None:
        """Append all points to the file."""
        with self.path.open("a") as file:
            file.write(csv_text(OF_RUN, self._pending).partition("\n")[2])
        self._pending.clear()

    def close(self, record: Mapping[str, Any] | None) -> None:
        """Write all points; for a run that has ended, also the mean over the seeds."""
        self.flush()
        if record is None:
            return
        if record["divergence"] is not None:  # it may have been detected later
            self._keep_until(record["divergence"]["step"])
        with locked(self.folder / LOCK):
            runs = [list(points(path)) for path in sorted(self.folder.glob(f"{self.group}.*.csv"))]
            atomic.write(self.folder / f"{self.group}.csv", csv_text(OF_GROUP, means(runs)))

    def _keep_until(self, step: int) -> None:
        """Write the file again without the points after a step, and without a truncated last line."""
        kept = [point for point in points(self.path) if point[0] <= step] if self.path.exists() else []
        rows = [dict(zip(OF_RUN, point, strict=True)) for point in kept]
        atomic.write(self.path, csv_text(OF_RUN, rows))


def points(path: Path) -> Iterator[tuple[int, str, float]]:
    """Yield step, tag and value of all points in the file of a run; lines that are not points are left out."""
    with path.open(newline="") as file:
        for line in csv.reader(file):
            try:
                step, tag, value = line
                yield int(step), tag, float(value)
            except ValueError:  # the head, or a line that was not written to its end
                continue


def means(runs: Sequence[Sequence[tuple[int, str, float]]]) -> list[dict[str, Any]]:
    """Return mean, sample standard deviation and number of the finite values of several runs, by step and tag.

    >>> means([[(0, "loss", 1.0)], [(0, "loss", 3.0)], [(0, "loss", float("nan"))]])
    [{'step': 0, 'tag': 'loss', 'mean': 2.0, 'deviation': 1.4142135623730951, 'n': 2}]
    """
    values: dict[tuple[int, str], list[float]] = {}
    for run in runs:
        for step, tag, value in run:
            values.setdefault((step, tag), []).extend([value] if math.isfinite(value) else [])
    return [
        {
            "step": step,
            "tag": tag,
            "mean": statistics.fmean(of_seeds) if of_seeds else None,
            "deviation": statistics.stdev(of_seeds) if len(of_seeds) > 1 else None,
            "n": len(of_seeds),
        }
        for (step, tag), of_seeds in sorted(values.items())
    ]
