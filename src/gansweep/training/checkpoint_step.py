"""Plain values of a checkpoint, such as its step, read without torch and without the tensors."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

NAMES = ("checkpoint.pt.new", "checkpoint.pt", "checkpoint.previous.pt")  # in the order in which a run tries them
MAX_BYTES = 2**20  # larger lists of plain values would take longer than 5 ms


def exists(directory: Path) -> bool:
    """Return whether a run in a directory has a checkpoint."""
    return any((directory / name).exists() for name in NAMES)


def read(directory: Path) -> int | None:
    """Return the step from which the run in a directory can continue, None if it is unknown."""
    return next((step for name in NAMES if (step := _step(directory / name)) is not None), None)


def plain_values(path: Path, max_bytes: float = float("inf")) -> dict[str, Any] | None:
    """Return the content of a file that torch wrote, with None in place of every tensor and every other object.

    No code in it is executed. None for a file that is missing, damaged, or has more than `max_bytes` of plain values.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entry = next(entry for entry in archive.infolist() if entry.filename.endswith("/data.pkl"))
            if entry.file_size > max_bytes:
                return None
            with archive.open(entry) as file:
                content = _PlainValues(file).load()
    except Exception:  # a damaged or foreign file: training reports it
        return None
    return content if isinstance(content, dict) else None


def _step(path: Path) -> int | None:
    return step_of(plain_values(path, MAX_BYTES) or {})


def step_of(content: dict[str, Any]) -> int | None:
    """Return the step of a checkpoint's content, None if there is none."""
    member = content.get("member")
    step = member.get("step") if isinstance(member, dict) else None
    return step if type(step) is int else None


class _PlainValues(pickle.Unpickler):
    """Unpickler that imports and calls nothing: every tensor and every other object becomes None."""

    def find_class(self, module: str, name: str) -> Any:
        """Return a function that replaces every class and function."""
        return lambda *_: None

    def persistent_load(self, pid: Any) -> None:
        """Return None for the data of a tensor."""
