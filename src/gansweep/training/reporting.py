"""Log file and progress of one run, and their defaults, which do nothing."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class RunLogger(Protocol):
    """Log file of one run."""

    def __call__(self) -> AbstractContextManager[None]:
        """Return a context in which log messages are written to this file."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


class NoLogFile:
    """No log file: messages go to the configured handlers only."""

    def __call__(self) -> AbstractContextManager[None]:
        """Return a context without effect."""
        return nullcontext()

    def close(self) -> None:
        """Do nothing."""


def no_progress(step: int, total_steps: int, text: str) -> None:
    """Ignore the progress."""
