"""What ends this process, and what only ends the run that raised it."""

from __future__ import annotations

import signal


class StoppedAtOnce(KeyboardInterrupt):
    """Somebody asked to stop a second time."""


def interrupts(error: BaseException) -> bool:
    """Tell whether what was raised means to end this process, as Ctrl-C does.

    A KeyboardInterrupt does if Python's own handler, or ours on the second signal, has raised it.
    While ours is installed, any other comes from the code that is being run, and is a failure of it.
    """
    if not isinstance(error, KeyboardInterrupt):
        return False
    return isinstance(error, StoppedAtOnce) or signal.getsignal(signal.SIGINT) is signal.default_int_handler
