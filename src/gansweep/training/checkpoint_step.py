"""Step of a checkpoint, read without torch and without the tensors."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

NAMES = ("checkpoint.pt.new", "checkpoint.pt", "checkpoint.previous.pt")  # in the order in which a run tries them
MAX_BYTES = 2**20  # larger lists of plain values would take longer than 5 ms


def read(directory: Path) -> int | None:
    """Return the step from which the run in a directory can continue, None if it is unknown."""
    return next((step for name in NAMES if (step := _step(directory / name)) is not None), None)


def _step(path: Path) -> int | None:
    try:
        with zipfile.ZipFile(path) as archive:
            entry = next(entry for entry in archive.infolist() if entry.filename.endswith("/data.pkl"))
            if entry.file_size > MAX_BYTES:
                return None
            with archive.open(entry) as file:
                step = _PlainValues(file).load()["member"]["step"]
    except Exception:  # a damaged or foreign file: training reports it
        return None
    return step if type(step) is int else None


class _PlainValues(pickle.Unpickler):
    """Unpickler that imports and calls nothing: every tensor and every other object becomes None."""

    def find_class(self, module: str, name: str) -> Any:
        """Return a function that replaces every class and function."""
        return lambda *_: None

    def persistent_load(self, pid: Any) -> None:
        """Return None for the data of a tensor."""
