"""Results as one table in a file: CSV, JSON or Parquet, with one row per run or per evaluation."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from gansweep.formatting import csv_text
from gansweep.results.frame import frame, long_form
from gansweep.sweep.cell import Result
from gansweep.sweep.identity import plain

if TYPE_CHECKING:
    import pandas as pd

FORMATS = ("csv", "json", "parquet")
ROWS = ("runs", "evaluations")


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
