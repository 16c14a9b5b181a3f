"""One thread that makes the periodic calls of this process."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable


class Heartbeat:
    """Thread that calls functions periodically, one after another. It runs while there are functions.

    A forked process does not inherit the thread; there the functions are forgotten.

    Args:
        interval_s: returns the seconds between two calls of a function.
    """

    def __init__(self, interval_s: Callable[[], float]) -> None:
        self.interval_s = interval_s
        self._forget()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._functions: set[Callable[[], None]] = set()
        self._changed = threading.Condition()
        self._running, self._due = False, 0.0

    def add(self, function: Callable[[], None]) -> None:
        """Call a function from now on.

        Raises:
            RuntimeError: no thread can be started.
        """
        with self._changed:
            due = time.monotonic() + self.interval_s()
            if not self._running:
                self._due = due
                threading.Thread(target=self._run, name="gansweep-heartbeat", daemon=True).start()
                self._running = True
            elif due < self._due:
                self._due = due
                self._changed.notify()
            self._functions.add(function)

    def remove(self, function: Callable[[], None]) -> None:
        """Call a function no more. A call that has begun may still end."""
        with self._changed:
            self._functions.discard(function)
            if not self._functions:
                self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while self._functions and time.monotonic() < self._due:
                    self._changed.wait(self._due - time.monotonic())
                if not self._functions:
                    self._running = False
                    return
                functions = list(self._functions)
                self._due = time.monotonic() + self.interval_s()
            for function in functions:
                function()
