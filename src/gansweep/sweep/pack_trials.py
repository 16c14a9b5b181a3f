"""Marker files of trial runs, which measure the best pack size.

Trials of a few steps hold no claims. If a process dies in a trial, a marker remains, so that the trial is not repeated.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from gansweep.sweep import process
from gansweep.training import atomic

PREFIX = ".trial."


@contextlib.contextmanager
def noted(root: Path) -> Iterator[None]:
    """Keep a marker file in the directory of a sweep while this process runs a trial."""
    path = root / f"{PREFIX}{secrets.token_hex(8)}"
    with contextlib.suppress(OSError):
        atomic.write(path, json.dumps(process.here()))
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink()


def have_killed(root: Path) -> bool:
    """Return True if a process on this machine died in a trial."""
    return any(_killed(path) for path in root.glob(f"{PREFIX}*"))


def forget(root: Path) -> None:
    """Remove the marker files of dead processes; called when all cells have ended."""
    for path in root.glob(f"{PREFIX}*"):
        if _owner(path) is None or _killed(path) or process.rebooted(_owner(path) or {}):
            with contextlib.suppress(OSError):
                os.unlink(path)


def _killed(path: Path) -> bool:
    owner = _owner(path)
    return owner is not None and process.alive(owner) is False


def _owner(path: Path) -> dict[str, str | int] | None:
    try:
        content = json.loads(atomic.read(path))
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
