"""Calls of functions in forks of this process, which have all of its data."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import pickle
import signal
import sys
import tempfile
import warnings
from collections.abc import Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")


def can_fork() -> bool:
    """Return True if this process can be forked on this system."""
    return hasattr(os, "fork") and sys.platform != "darwin"  # system libraries of macOS are not fork-safe


def num_cores() -> int:
    """Return the number of CPU cores that are available to this process."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_running: set[int] = set()  # process ids of the forks of this process


@atexit.register
def _end_forks() -> None:
    """End the forks whose results were not requested, for example after Ctrl-C."""
    for pid in _running:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _fork() -> int:
    """Return the process id of a fork, 0 in the fork, which Ctrl-C ends without a traceback."""
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        else:
            _running.add(pid)
        return pid
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


class Forked(Generic[Result]):
    """A call of a function in a fork of this process, which begins at once.

    The function must not use locks or threads of this process. If the call fails for any reason, for example because
    there is no memory for another process, `result` calls the function in this process.

    Args:
        function: its result must be picklable.
    """

    def __init__(self, function: Callable[[], Result]) -> None:
        self._function, self._pid = function, -1
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            # Not a pipe, which would stop the fork until this process reads it.
            self._file = stack.enter_context(tempfile.TemporaryFile())
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads, as those of BLAS
                self._pid = _fork()
            stack.pop_all()
        if self._pid == 0:
            self._call()

    def _call(self) -> None:
        """Call the function and exit."""
        code = 1
        try:
            logging.disable()  # a failed call is repeated, and then logs
            pickle.dump(self._function(), self._file, pickle.HIGHEST_PROTOCOL)
            self._file.flush()
            code = 0
        finally:
            os._exit(code)

    def result(self) -> Result:
        """Wait for the result of the function; to be called once.

        Raises:
            Exception: the function raised it.
        """
        if self._pid > 0:
            with self._file, contextlib.suppress(ChildProcessError):  # SIGCHLD is ignored: no exit code
                status = os.waitpid(self._pid, 0)[1]
                _running.discard(self._pid)
                if status == 0:
                    self._file.seek(0)
                    return pickle.load(self._file)
        return self._function()
