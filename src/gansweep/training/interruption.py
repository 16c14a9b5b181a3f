"""Interruption of a process by signals, as opposed to the failure of a run."""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import Any


class Interrupted(Exception):
    """The run was stopped on request; its checkpoint is written.

    Args:
        step: step from which it will continue.
    """

    def __init__(self, step: int) -> None:
        super().__init__(f"stopped after step {step}, can be continued")
        self.step = step


class StoppedAtOnce(KeyboardInterrupt):
    """A second request to stop: the process ends immediately."""


def interrupts(error: BaseException) -> bool:
    """Return whether an exception ends the process, as Ctrl-C does.

    This holds for a KeyboardInterrupt raised by Python's default handler, or by `Stop` on the second signal.
    While `Stop` is installed, any other KeyboardInterrupt was raised by the run and is a failure of it.
    """
    if not isinstance(error, KeyboardInterrupt):
        return False
    return isinstance(error, StoppedAtOnce) or signal.getsignal(signal.SIGINT) is signal.default_int_handler


class Stop:
    """Stop flag. As a context manager, it sets the flag on SIGINT (Ctrl-C) and SIGTERM.

    The first signal only sets the flag, so that the training can write a checkpoint. The second raises StoppedAtOnce.
    Outside of the main thread no signal handlers are installed.

    Args:
        quiet: for worker processes: print nothing, and treat all signals as a single stop request. A worker may get
            several signals, from its parent and from a job scheduler that signals all processes of a job.
    """

    def __init__(self, quiet: bool = False) -> None:
        self.requested, self.quiet = False, quiet
        self._before: dict[signal.Signals, Any] = {}

    def __call__(self) -> bool:
        """Return True if a stop was requested."""
        return self.requested

    def request(self) -> None:
        """Request a stop."""
        self.requested = True

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self.requested and not self.quiet:
            raise StoppedAtOnce
        self.request()
        if not self.quiet and sys.stderr is not None:
            sys.stderr.write("\nStopping after this step; Ctrl-C again stops at once.\n")
            sys.stderr.flush()

    def __enter__(self) -> Stop:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
