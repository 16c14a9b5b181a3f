"""What commands print, for a reader who may leave early."""

from __future__ import annotations

import os
import sys


def say(text: object, end: str = "\n") -> None:
    """Print at once. If the reader, such as `head`, has seen enough, this and all that follows goes nowhere.

    A command then still writes its files, and ends as if everything had been read.
    """
    try:
        print(text, end=end, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
