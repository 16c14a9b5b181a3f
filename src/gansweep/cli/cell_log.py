"""gansweep.log of one cell, also where several are trained at once in this process."""

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
    """Takes what is logged while it is active. The console then shows warnings only, with the cell, no tracebacks.

    Args:
        path: of the file, appended to; its directory is named after the cell.
    """

    def __init__(self, path: Path) -> None:
        root = logging.getLogger()
        self.cell = path.absolute().parent.name
        for handler in root.handlers:
            if not isinstance(handler, _Own):
                handler.removeFilter(_quiet)
                handler.addFilter(_quiet)
        name_cells()
        self.handler = _Own(path, encoding="utf-8")
        self.handler.setFormatter(_Visible(FORMAT))
        self.handler.addFilter(lambda record: _active.get() is self)
        root.addHandler(self.handler)

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Be the active one inside."""
        token = _active.set(self)
        try:
            yield
        finally:
            _active.reset(token)

    def close(self) -> None:
        """Close the file."""
        logging.getLogger().removeHandler(self.handler)
        self.handler.close()


class _Own(logging.FileHandler):
    """A handler of one cell's own."""


class _Visible(logging.Formatter):
    """Writes control characters as their codes."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a line."""
        return visible(super().format(record))


class _Named(logging.Formatter):
    """Says of which cell a line is, where there is one, and writes control characters as their codes.

    Args:
        of: writes the line.
    """

    def __init__(self, of: logging.Formatter) -> None:
        super().__init__()
        self.of = of

    def format(self, record: logging.LogRecord) -> str:
        """Write a line."""
        active, line = _active.get(), self.of.format(record)
        return visible(line if active is None else f"{active.cell}: {line}")


def name_cells() -> None:
    """Let the console show what is logged with the name of the cell."""
    for handler in logging.getLogger().handlers:
        if not isinstance(handler, _Own) and not isinstance(handler.formatter, _Named):
            handler.setFormatter(_Named(handler.formatter or logging.Formatter()))


def _quiet(record: logging.LogRecord) -> bool:
    return _active.get() is None or (record.levelno >= logging.WARNING and record.exc_info is None)
