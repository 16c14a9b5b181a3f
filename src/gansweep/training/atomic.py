"""Atomic file writes, and renaming of unreadable files."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

UNFINISHED, UNREADABLE = ".part", ".unreadable"


def unguarded() -> None:
    """Do nothing: every write is allowed."""


def write(path: Path, content: bytes | str, guard: Callable[[], None] = unguarded) -> None:
    """Write `content` to `path` atomically: a reader gets the old file or the new one.

    `guard` is called immediately before the rename, and raises if this process must not write any more.

    Raises:
        OSError: it can't be written. The old file is unchanged.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=UNFINISHED, dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        guard()
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def write_output(path: Path, content: bytes | str) -> None:
    """Write the file that a user names with `--out`, and create its folder if needed.

    Raises:
        ValueError: it can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, content)
    except OSError as error:
        raise ValueError(f"--out {path}: cannot be written: {error.strerror or error}") from error


def read(path: Path) -> bytes:
    """Return the content of a regular file. A pipe, socket or device is refused because reading it could block.

    Raises:
        OSError: it can't be read, or is not a regular file.
    """
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        return file.read()


def put_aside(path: Path) -> Path:
    """Rename `path` to the first unused name of `<path>.unreadable`, `<path>.unreadable.2`, ...; return the new path.

    Raises:
        OSError: it can't be renamed.
    """
    number, aside = 1, path.with_name(path.name + UNREADABLE)
    while os.path.lexists(aside):
        number += 1
        aside = path.with_name(f"{path.name}{UNREADABLE}.{number}")
    path.rename(aside)
    return aside


def forget_unfinished(directory: Path) -> None:
    """Delete temporary files of processes that were killed during a write.

    No other process may write to the directory at the same time.
    """
    for path in directory.glob(f".*{UNFINISHED}"):
        with contextlib.suppress(OSError):
            path.unlink()
