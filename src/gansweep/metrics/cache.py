"""Cache of expensive values that depend only on a key, in memory and on disk."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

BYTES_IN_MEMORY = 1 << 28
_memory: dict[str, dict[str, np.ndarray]] = {}


def folder() -> Path | None:
    """Return GANSWEEP_CACHE or ~/.cache/gansweep; None without a home directory."""
    try:
        return Path(os.environ.get("GANSWEEP_CACHE") or Path.home() / ".cache" / "gansweep")
    except RuntimeError:
        return None


def recall(key: Mapping[str, Any]) -> dict[str, np.ndarray] | None:
    """Return the arrays stored under a key; None if there is no undamaged file of the key."""
    if _text(key) in _memory:
        return _memory[_text(key)]
    path = _path(key)
    if path is None:
        return None
    try:
        # Opened explicitly, because numpy does not close the file of a truncated archive.
        with path.open("rb") as source, np.load(source, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        return None
    if str(arrays.pop("key", "")) != _text(key):
        return None
    _hold(key, arrays)
    return arrays


def keep(key: Mapping[str, Any], arrays: Mapping[str, np.ndarray | float | int | bool]) -> dict[str, np.ndarray]:
    """Store arrays under a key, atomically, and return them; in memory only if the folder is not writable."""
    stored: dict[str, Any] = {name: np.asarray(value) for name, value in arrays.items()}
    _hold(key, stored)
    path = _path(key)
    if path is None:
        return stored
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        draft = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, key=np.array(_text(key)), **stored)
            draft.replace(path)
        except OSError:
            draft.unlink()
            raise
    return stored


def remembered(
    key: Mapping[str, Any], compute: Callable[[], Mapping[str, np.ndarray | float | int | bool]]
) -> dict[str, np.ndarray]:
    """Return the arrays stored under a key; the result of `compute`, which is stored, if there are none."""
    arrays = recall(key)
    return keep(key, compute()) if arrays is None else arrays


def value(key: Mapping[str, Any], compute: Callable[[], float]) -> float:
    """Return the number stored under a key; the result of `compute`, which is stored, if there is none."""
    return float(remembered(key, lambda: {"value": compute()})["value"])


def forget() -> None:
    """Clear the cache in memory, not the one on disk."""
    _memory.clear()


def _hold(key: Mapping[str, Any], arrays: dict[str, np.ndarray]) -> None:
    _memory[_text(key)] = arrays
    while len(_memory) > 1 and sum(a.nbytes for entry in _memory.values() for a in entry.values()) > BYTES_IN_MEMORY:
        _memory.pop(next(iter(_memory)))


def _text(key: Mapping[str, Any]) -> str:
    """Return a key as text, with the number of threads if above 1, which affects rounding."""
    threads = torch.get_num_threads()
    return json.dumps({**key, **({"threads": threads} if threads > 1 else {})}, sort_keys=True)


def _path(key: Mapping[str, Any]) -> Path | None:
    where = folder()
    return where and where / f"{hashlib.sha256(_text(key).encode()).hexdigest()[:32]}.npz"
