"""Loggers besides TensorBoard: destinations of the curves and pictures of runs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path


def require(package: str, name: str) -> None:
    """Check that the package of a logger is installed.

    Raises:
        ValueError: it is not.
    """
    if find_spec(package) is None:
        raise ValueError(f"requires {package}: pip install 'gansweep[{name}]'")


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock between processes of one machine, on a file that is created if needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        with contextlib.suppress(ImportError, OSError):  # a system or file system without such locks
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)  # released when the file is closed
        yield
