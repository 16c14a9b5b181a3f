"""Routing of log messages to the log file of one member."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Journal(Protocol):
    """Destination of log messages of one member."""

    def __call__(self) -> AbstractContextManager[None]:
        """Return a context in which log messages are written to this member's log."""
        ...

    def close(self) -> None:
        """Close the log."""
        ...


class Everyone:
    """No separate log: messages go to the configured handlers."""

    def __call__(self) -> AbstractContextManager[None]:
        """Return a context that does nothing."""
        return nullcontext()

    def close(self) -> None:
        """Do nothing."""
