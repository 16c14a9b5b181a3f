"""Distinction between interrupts of the process and failures of a run."""

from __future__ import annotations

import signal


class StoppedAtOnce(KeyboardInterrupt):
    """A second request to stop: the process ends immediately."""


def interrupts(error: BaseException) -> bool:
    """Return whether an exception ends the process, as Ctrl-C does.

    This holds for a KeyboardInterrupt raised by Python's default handler, or by ours on the second signal.
    While our handler is installed, any other KeyboardInterrupt was raised by the run and is a failure of it.
    """
    if not isinstance(error, KeyboardInterrupt):
        return False
    return isinstance(error, StoppedAtOnce) or signal.getsignal(signal.SIGINT) is signal.default_int_handler
