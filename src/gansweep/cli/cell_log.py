"""Log file of one cell, also when several cells are trained in this process."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from gansweep.formatting import visible

FORMAT = "[%(asctime)s][%(name)s][%(levelname)s] %(message)s"

_active: ContextVar[CellLog | None] = ContextVar("gansweep_cell_log", default=None)


class CellLog:
    """Context manager that writes all log records of its block to the cell's gansweep.log.

    Inside the block the console shows only warnings and errors, with the name of the cell and without tracebacks.

    Args:
        path: log file, to which lines are appended; the name of its directory is the name of the cell.
    """

    def __init__(self, path: Path) -> None:
        root = logging.getLogger()
        self.path, self.closed = path.absolute(), False
        self.cell = self.path.parent.name
        self.path.open("a").close()  # raises if it can't be written
        for handler in root.handlers:
            if handler is not _files:
                handler.removeFilter(_quiet)
                handler.addFilter(_quiet)
        name_cells()
        root.addHandler(_files)

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Make this log the active one in the block."""
        token = _active.set(self)
        try:
            yield
        finally:
            _active.reset(token)

    def close(self) -> None:
        """Write nothing more to the file."""
        self.closed = True


class _Files(logging.Handler):
    """Handler of the root logger that appends records to the log file of the active cell.

    A file is open only while a record is written, so that the number of members of a pack is not limited by that of
    file descriptors.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Append a record to the file of the active cell."""
        active = _active.get()
        if active is None or active.closed:
            return
        try:
            line = self.format(record)
            with active.path.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")
        except Exception:
            self.handleError(record)


class _Visible(logging.Formatter):
    """Formatter that escapes control characters."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record as a line."""
        return visible(super().format(record))


class _Named(logging.Formatter):
    """Formatter that prefixes the name of the active cell and escapes control characters."""

    def __init__(self, of: logging.Formatter) -> None:
        super().__init__()
        self.of = of

    def format(self, record: logging.LogRecord) -> str:
        """Format a record as a line."""
        active, line = _active.get(), self.of.format(record)
        return visible(line if active is None else f"{active.cell}: {line}")


def name_cells() -> None:
    """Prefix the lines of all console handlers with the name of the active cell."""
    for handler in logging.getLogger().handlers:
        if handler is not _files and not isinstance(handler.formatter, _Named):
            handler.setFormatter(_Named(handler.formatter or logging.Formatter()))


_files = _Files()
_files.setFormatter(_Visible(FORMAT))


def _quiet(record: logging.LogRecord) -> bool:
    return _active.get() is None or (record.levelno >= logging.WARNING and record.exc_info is None)
