"""Reader of results: records of runs as rows, as a pandas data frame, as results.csv, and as an exported table.

pandas is imported when a data frame is built.
"""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansweep.formatting import csv_text
from gansweep.results import archive
from gansweep.sweep import records
from gansweep.sweep.cell import Result
from gansweep.sweep.identity import plain
from gansweep.sweep.metric_groups import further_metrics
from gansweep.sweep.sweep_keys import UNSET, column_keys, value

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = {  # type and content of the columns besides the settings
    "sweep": ("string", "name of the sweep's directory"),
    "cell": ("string", "name of the run's directory in it"),
    "cell_hash": ("string", "sha256 of the identity: runs with equal hashes are the same training"),
    "state": ("string", "completed, diverged or failed; in results.csv also new, resumable or claimed"),
    "metric_name": ("string", "name of the metric"),
    "final": ("Float64", "metric after the last step; missing for a diverged run"),
    "final_step": ("Int64", "step of `final`"),
    "best": ("Float64", "best value after step 0"),
    "best_step": ("Int64", "step of `best`"),
    "best_apart": ("Float64", "holdout value of the best: the same generator on other latents"),
    "untrained": ("Float64", "metric before the first step"),
    "floor": ("Float64", "metric of real against real samples"),
    "metric_2_name": ("string", "name of the second metric"),
    "metric_2_final": ("Float64", "second metric after the last step"),
    "metric_2_best": ("Float64", "best value of the second metric after step 0"),
    "steps_done": ("Int64", "steps that were trained"),
    "divergence_step": ("Int64", "step of the divergence"),
    "divergence_player": ("string", "player that diverged"),
    "divergence_cause": ("string", "what was not finite"),
    "error": ("string", "type and message of the exception of a failed run"),
    "wall_s": ("Float64", "wall-clock time in seconds; in a pack that of the whole pack"),
    "steps_per_s": ("Float64", "training speed"),
    "directory": ("string", "path of the run's directory"),
}
FIRST = ("sweep", "cell")  # before the settings; the other columns follow them
ONLY_IN_FRAMES = ("sweep", "directory")
SECOND = ("metric_2_name", "metric_2_final", "metric_2_best")  # in results.csv if a run has a second metric
CURVES = {
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
FORMATS = ("csv", "json", "parquet")
ROWS = ("runs", "evaluations")


def read(path: Path) -> Iterator[Result]:
    """Yield the result of every run with a record below a directory: of a run, of a sweep, or of several sweeps.

    `path` can also be an archive (`gansweep.results.archive`); the directories of its cells are then paths inside it.
    A file that is torn, not a record, edited, or of a later version of gansweep is left out with a warning.

    Raises:
        FileNotFoundError: the directory does not exist.
        ValueError: a file is not an archive.
    """
    if archive.is_archive(path):
        with archive.opened([path]) as (root,):
            for result in read(root):
                directory = path / root.name / result.cell.name
                yield replace(result, cell=replace(result.cell, directory=directory))
        return
    if not path.is_dir():
        raise FileNotFoundError(f"{path}: no such folder")
    path = path.resolve()
    sweeps = [path, *(entry for entry in sorted(path.iterdir()) if entry.is_dir() and not entry.name.startswith("."))]
    for directory in (path, *(cell for sweep in sweeps for cell in records.directories(sweep))):
        try:
            record = records.read(directory)
        except records.UnreadableRecord as error:
            warnings.warn(f"left out: {error}", stacklevel=3)
            continue
        if record is not None:
            yield Result.of(directory, record)


def row(result: Result) -> dict[str, Any]:
    """Return the columns `COLUMNS` of one run, None for missing values."""
    record, cell = result.record or {}, result.cell
    second, divergence, error, time = (record.get(part) or {} for part in ("metric_2", "divergence", "error", "time"))
    values = ("final", "final_step", "best", "best_step", "best_apart", "untrained", "floor")
    return {
        "sweep": cell.directory.parent.name,
        "cell": cell.name,
        "cell_hash": cell.hash,
        "state": result.state.value,
        "metric_name": result.metric.get("name"),
        **{name: result.metric.get(name) for name in values},
        **{f"metric_2_{name}": second.get(name) for name in ("name", "final", "best")},
        "steps_done": record.get("steps"),
        **{f"divergence_{name}": divergence.get(name) for name in ("step", "player", "cause")},
        "error": f"{error.get('type')}: {error.get('message')}" if error else None,
        **{name: time.get(name) for name in ("wall_s", "steps_per_s")},
        "directory": str(cell.directory),
    }


def spreadsheet(results: Sequence[Result]) -> str:
    """Return results.csv: one row per run, finished or not; missing values are empty fields.

    The columns of settings are those that were given on the command line or differ, and the usual ones.
    """
    keys = column_keys([result.cell for result in results])
    omitted = (*ONLY_IN_FRAMES, *(() if any(result.metric_2 for result in results) else SECOND))
    further = further_columns(results)
    rows = []
    for result in results:
        columns = {name: inner for name, inner in row(result).items() if name not in omitted}
        first = {name: columns.pop(name) for name in ("cell", "cell_hash")}
        columns |= {name: values.get(result.cell.hash) for name, values in further.items()}
        rows.append(first | {key: plain(value(result.cell, key)) for key in keys} | columns)
    return csv_text(list(rows[0]) if rows else [*keys, "state"], rows)


def further_columns(results: Sequence[Result]) -> dict[str, dict[str, float | None]]:
    """Return the columns of metrics that were measured after the training, `final NAME`, by name and cell."""
    return {
        f"final {label}": {hash_: entry.get("final") for hash_, entry in entries.items()}
        for label, entries in further_metrics(results).items()
    }


def frame(results: Sequence[Result]) -> pd.DataFrame:
    """Return a data frame with one row per run: the settings as columns, `COLUMNS` and `further_columns`.

    A setting with the name of another column is named `setting.NAME`.
    """
    import pandas as pd

    sweeps: dict[Path, list[Any]] = {}
    for result in results:
        sweeps.setdefault(result.cell.directory.parent, []).append(result.cell)
    keys = dict.fromkeys(key for cells in sweeps.values() for key in column_keys(cells))
    settings = pd.DataFrame(
        {f"setting.{key}" if key in COLUMNS else key: [_setting(result, key) for result in results] for key in keys}
    )
    types = {name: type_ for name, (type_, _) in COLUMNS.items()}
    outcomes = pd.DataFrame([row(result) for result in results], columns=list(types)).astype(types)
    for name, values in further_columns(results).items():
        outcomes[name] = pd.array([values.get(result.cell.hash) for result in results], dtype="Float64")
    return pd.concat([outcomes[list(FIRST)], settings.convert_dtypes(), outcomes.drop(columns=list(FIRST))], axis=1)


def _setting(result: Result, key: str) -> float | bool | str | None:
    setting = value(result.cell, key)
    if setting == UNSET and key not in result.cell.overrides:
        return None
    return plain(setting) if isinstance(setting, (list, dict)) else setting


def load(path: str | Path) -> pd.DataFrame:
    """Return a data frame of all records of a sweep or a folder of sweeps, with one row per cell.

    The settings are columns of numbers, booleans or strings: all that were given on the command line, all in which
    the runs of a sweep differ, and always the learning rates, the seed, the batch size, the critic steps and the
    discriminator's optimizer and schedule. The column `sweep` identifies the sweep of a cell. Cells without a record
    have no row. Files that are incomplete, not records, or of a later version of gansweep are skipped with a warning.

    Args:
        path: directory of a sweep, of one cell, or of several sweeps, such as `outputs`; or an archive of a sweep.

    Raises:
        FileNotFoundError: the directory does not exist.
        ValueError: a file is not an archive of a sweep.
    """
    return frame(list(read(Path(path))))


def curves(path: str | Path) -> pd.DataFrame:
    """Return a data frame of the metric over the steps, with one row per evaluation of each cell.

    A value that could not be measured is missing; the column `reason` has the cause. `trained_s` is the elapsed
    training time in seconds, excluding evaluation; cells that trained as one pack have the time of the pack.

    Args:
        path: as in `load`.
    """
    return evaluations(list(read(Path(path))))


def evaluations(results: Sequence[Result]) -> pd.DataFrame:
    """Return a data frame with one row per evaluation of each run, as `curves`."""
    import pandas as pd

    rows: list[Mapping[str, Any]] = []
    for result in results:
        seconds = result.trained_s
        names = {name: inner for name, inner in row(result).items() if name in CURVES}
        rows += [
            {**names, "trained_s": seconds.get(evaluation["step"]), **evaluation} for evaluation in result.evaluations
        ]
    return pd.DataFrame(rows, columns=list(CURVES)).astype(CURVES)


def long_form(results: Sequence[Result]) -> pd.DataFrame:
    """Return a data frame with one row per evaluation of each run, and the settings of the run in every row."""
    import pandas as pd

    runs, values = frame(results), evaluations(results)
    settings = [name for name in runs.columns if name not in COLUMNS and name not in further_columns(results)]
    of_row = [place for place, result in enumerate(results) for _ in result.evaluations]
    of_run = runs[[*settings, "state"]].iloc[of_row].reset_index(drop=True)
    return pd.concat([values[list(FIRST)], of_run, values.drop(columns=list(FIRST))], axis=1)


def export(results: Sequence[Result], rows: str, file_format: str) -> bytes:
    """Return a table of results as the content of a file.

    Numbers are written exactly. A missing value is an empty field in CSV and null in JSON, which is a list of objects.

    Args:
        results: the runs.
        rows: runs: one row per run; evaluations: one row per evaluation of each run, with its settings.
        file_format: csv, json or parquet.

    Raises:
        ValueError: parquet without pyarrow.
    """
    if file_format == "parquet" and find_spec("pyarrow") is None:
        raise ValueError("--format parquet: requires pyarrow: pip install 'gansweep[parquet]'; or --format csv, json")
    table = (frame if rows == "runs" else long_form)(results)
    if file_format == "parquet":
        return _parquet(table)
    columns = list(table.columns)
    lines = [dict(zip(columns, map(_plain, line), strict=True)) for line in table.itertuples(index=False, name=None)]
    return (csv_text(columns, lines) if file_format == "csv" else json.dumps(lines, indent=1) + "\n").encode()


def _plain(value: Any) -> float | bool | str | None:
    """Return an entry in Python's types, None for missing values."""
    value = value.item() if hasattr(value, "item") else value  # numpy's scalars
    is_number_or_text = isinstance(value, (bool, int, float, str))
    return value if is_number_or_text and value == value else None  # NaN and pandas.NA are missing


def _parquet(table: pd.DataFrame) -> bytes:
    """Return a Parquet file. A column of numbers and text, such as a setting with a default, becomes text."""
    mixed = {name: table[name].map(plain, na_action="ignore") for name in table if table[name].dtype == object}
    buffer = io.BytesIO()
    table.assign(**mixed).to_parquet(buffer, engine="pyarrow", index=False)
    return buffer.getvalue()
