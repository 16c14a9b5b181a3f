"""Ctrl-C: once to save and stop, twice to stop at once."""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import Any

from gansweep.training.interruption import StoppedAtOnce


class Stop:
    """Whether somebody asked to stop. Inside `with`, Ctrl-C and SIGTERM ask so.

    The first only sets the flag, so that what trains can write its checkpoint. The second
    raises StoppedAtOnce. Outside of the main thread signals are left alone.

    Args:
        quiet: for a worker, whose parent tells and may kill it. However many signals come, from
            the parent and from an engine that knows all processes of a job, they ask once.
    """

    def __init__(self, quiet: bool = False) -> None:
        self.requested, self.quiet = False, quiet
        self._before: dict[signal.Signals, Any] = {}

    def __call__(self) -> bool:
        """Tell whether somebody asked to stop."""
        return self.requested

    def request(self) -> None:
        """Ask to stop."""
        self.requested = True

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self.requested and not self.quiet:
            raise StoppedAtOnce
        self.request()
        if not self.quiet:
            print("\nStopping after this step; Ctrl-C again stops at once.", file=sys.stderr, flush=True)

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
