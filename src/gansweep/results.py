"""Results of sweeps as pandas data frames, for notebooks.

    frame = gansweep.results.load("outputs/my_sweep")
    frame.pivot_table("final", "optimizer", "lr")

pandas is imported when a data frame is built.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansweep.sweep import records
from gansweep.sweep.cell import Cell
from gansweep.sweep.identity import plain
from gansweep.sweep.spreadsheet import measured
from gansweep.sweep.sweep_keys import UNSAID, settings_to_tell, value
from gansweep.training.record import trained_s

if TYPE_CHECKING:
    import pandas as pd

TYPES = {
    "sweep": "string",
    "cell": "string",
    "cell_hash": "string",
    "state": "string",
    "metric_name": "string",
    "final": "Float64",
    "final_step": "Int64",
    "best": "Float64",
    "best_step": "Int64",
    "best_apart": "Float64",
    "untrained": "Float64",
    "floor": "Float64",
    "metric_2_name": "string",
    "metric_2_final": "Float64",
    "metric_2_best": "Float64",
    "steps_done": "Int64",
    "divergence_step": "Int64",
    "divergence_player": "string",
    "divergence_cause": "string",
    "error": "string",
    "wall_s": "Float64",
    "steps_per_s": "Float64",
    "directory": "string",
}
FIRST = ["sweep", "cell"]


def load(path: str | Path) -> pd.DataFrame:
    """Return a data frame of all records of a sweep or a folder of sweeps, with one row per cell.

    The settings are columns of numbers, booleans or strings: all that were given on the command line, all in which
    the runs of a sweep differ, and always the learning rates, the seed, the batch size, the critic steps and the
    discriminator's optimizer and schedule. The column `sweep` identifies the sweep of a cell. Cells without a record
    have no row. Files that are incomplete, not records, or of a later version of gansweep are skipped with a warning.

    Args:
        path: directory of a sweep, of one cell, or of several sweeps, such as `outputs`.

    Raises:
        FileNotFoundError: the directory does not exist.
    """
    import pandas as pd

    directory_records = list(_records(Path(path)))
    cells = [_cell(*pair) for pair in directory_records]
    sweeps = {directory.parent: None for directory, _ in directory_records}
    keys = dict.fromkeys(
        key for root in sweeps for key in settings_to_tell([cell for cell in cells if cell.directory.parent == root])
    )
    settings = pd.DataFrame({_column(key): [_setting(cell, key) for cell in cells] for key in keys})
    outcomes = pd.DataFrame([_row(*pair) for pair in directory_records], columns=list(TYPES)).astype(TYPES)
    return pd.concat([outcomes[FIRST], settings.convert_dtypes(), outcomes.drop(columns=FIRST)], axis=1)


def curves(path: str | Path) -> pd.DataFrame:
    """Return a data frame of the metric over the steps, with one row per evaluation of each cell.

    A value that could not be measured is missing; the column `reason` has the cause. `trained_s` is the elapsed
    training time in seconds, excluding evaluation; cells that trained as one pack have the time of the pack.

    Args:
        path: as in `load`.
    """
    import pandas as pd

    kinds = {
        "sweep": "string",
        "cell": "string",
        "cell_hash": "string",
        "metric_name": "string",
        "step": "Int64",
        "trained_s": "Float64",
        "value": "Float64",
        "value_2": "Float64",
        "reason": "string",
    }
    rows = [
        (
            directory.parent.name,
            directory.name,
            record["cell"]["hash"],
            record["metric"].get("name"),
            evaluation.get("step"),
            times.get(evaluation.get("step")),
            evaluation.get("value"),
            evaluation.get("value_2"),
            evaluation.get("reason"),
        )
        for directory, record in _records(Path(path))
        for times in [trained_s(record)]
        for evaluation in (record.get("metric") or {}).get("evaluations", [])
    ]
    return pd.DataFrame(rows, columns=list(kinds)).astype(kinds)


def _records(path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield directory and record of every cell below the path of a cell, a sweep or a folder of sweeps."""
    if not path.is_dir():
        raise FileNotFoundError(f"{path}: there is no such folder of results")
    path = path.resolve()
    sweeps = [path, *(entry for entry in sorted(path.iterdir()) if entry.is_dir() and not entry.name.startswith("."))]
    for directory in (path, *(cell for sweep in sweeps for cell in records.directories(sweep))):
        try:
            record = records.read(directory)
        except records.UnreadableRecord as error:
            warnings.warn(f"left out: {error}", stacklevel=3)
            continue
        if record is not None:
            yield directory, record


def _column(key: str) -> str:
    return f"setting.{key}" if key in TYPES else key


def _cell(directory: Path, record: Mapping[str, Any]) -> Cell:
    cell = record["cell"]
    return Cell(cell["overrides"], record["config"], record["identity"], cell["hash"], directory)


def _setting(cell: Cell, key: str) -> float | bool | str | None:
    setting = value(cell, key)
    if setting == UNSAID and key not in cell.overrides:
        return None
    return plain(setting) if isinstance(setting, (list, dict)) else setting


def _row(directory: Path, record: Mapping[str, Any]) -> dict[str, Any]:
    second = record.get("metric_2") or {}
    return {
        "sweep": directory.parent.name,
        "cell": directory.name,
        "cell_hash": record["cell"]["hash"],
        "state": record["state"],
        **measured(record),
        **{f"metric_2_{name}": second.get(name) for name in ("name", "final", "best")},
        "directory": str(directory),
    }
