"""Files that are whole or not there."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

UNFINISHED = ".part"


def write(path: Path, content: bytes | str) -> None:
    """Put `content` at `path` in one move: a reader sees the old file or the new one.

    Raises:
        OSError: it can't be written; the old file is then still there.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=UNFINISHED, dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def forget_unfinished(directory: Path) -> None:
    """Delete what processes that were killed while they wrote have left.

    Only for a directory in which nobody else is writing now.
    """
    for path in directory.glob(f".*{UNFINISHED}"):
        with contextlib.suppress(OSError):
            path.unlink()
