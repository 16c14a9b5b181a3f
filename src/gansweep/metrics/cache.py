"""Values that cost minutes and depend on nothing but a key, kept in memory and between runs."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

BYTES_IN_MEMORY = 1 << 28
_memory: dict[str, dict[str, np.ndarray]] = {}


def folder() -> Path | None:
    """Where the files lie: GANSWEEP_CACHE, by default ~/.cache/gansweep; None for a user without a home directory."""
    try:
        return Path(os.environ.get("GANSWEEP_CACHE") or Path.home() / ".cache" / "gansweep")
    except RuntimeError:
        return None


def recall(key: Mapping[str, Any]) -> dict[str, np.ndarray] | None:
    """Return what was kept under a key, or None: never kept, torn, or another key's file."""
    if _text(key) in _memory:
        return _memory[_text(key)]
    path = _path(key)
    if path is None:
        return None
    try:
        # Opened here: of an archive that is cut off, numpy leaves the file open.
        with open(path, "rb") as source, np.load(source, allow_pickle=False) as file:
            found = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        return None
    if str(found.pop("key", "")) != _text(key):
        return None
    _hold(key, found)
    return found


def keep(key: Mapping[str, Any], arrays: Mapping[str, np.ndarray | float | int | bool]) -> None:
    """Write arrays under a key, whole or not at all. Without a folder that can be written, in memory only."""
    found: dict[str, Any] = {name: np.asarray(value) for name, value in arrays.items()}
    _hold(key, found)
    path = _path(key)
    if path is None:
        return
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, key=np.array(_text(key)), **found)
            os.replace(name, path)
        except OSError:
            os.unlink(name)
            raise


def forget() -> None:
    """Empty the memory, not the folder."""
    _memory.clear()


def _hold(key: Mapping[str, Any], arrays: dict[str, np.ndarray]) -> None:
    _memory[_text(key)] = arrays
    while len(_memory) > 1 and sum(a.nbytes for entry in _memory.values() for a in entry.values()) > BYTES_IN_MEMORY:
        _memory.pop(next(iter(_memory)))


def _text(key: Mapping[str, Any]) -> str:
    """Write a key. Values differ in rounding with several threads of the processor, which then are part of it."""
    threads = torch.get_num_threads()
    return json.dumps({**key, **({"threads": threads} if threads > 1 else {})}, sort_keys=True)


def _path(key: Mapping[str, Any]) -> Path | None:
    where = folder()
    return where and where / f"{hashlib.sha256(_text(key).encode()).hexdigest()[:32]}.npz"
