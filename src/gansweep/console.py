"""What commands print, for a reader who may leave early, and how they end."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

WRONG = 2


def say(text: object, end: str = "\n") -> None:
    """Print at once. If the reader, such as `head`, has seen enough, this and all that follows goes nowhere.

    A command then still writes its files, and ends as if everything had been read.
    """
    try:
        print(text, end=end, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def exit_code(work: Callable[[], object]) -> int:
    """Do a command's work and return its exit code; what stopped it is said in a line.

    0 done, 2 what was asked for is wrong or not there, 1 the system failed
    """
    try:
        work()
    except (ValueError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return WRONG
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    return 0
