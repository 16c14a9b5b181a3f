"""What commands print, for a reader who may leave early, and how they end."""

from __future__ import annotations

import argparse
import contextlib
import errno
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from gansweep.formatting import visible

WRONG = 2
# What a path that the user gave is wrong by, where the system itself did not fail.
WRONG_PATH = (errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP)


def say(text: object, end: str = "\n") -> None:
    """Print at once. If the reader, such as `head`, has seen enough, this and all that follows goes nowhere.

    A command then still writes its files, and ends as if everything had been read.
    """
    try:
        print(visible(str(text)), end=end, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def protect() -> None:
    """Let writes to standard output and standard error never raise: training goes on with nobody to watch it.

    A descriptor that was closed is opened anew, as otherwise the next file would get its number, and with it
    whatever libraries print.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
        if number and not isinstance(stream := getattr(sys, name), Protected):
            setattr(sys, name, Protected(stream or open(number, "w", closefd=False)))  # noqa: SIM115


class Protected(io.TextIOBase):
    """A stream whose failures are not raised. After the first, what is written to it goes nowhere.

    Args:
        stream: to write to.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write, or do nothing."""
        self._try(self.stream.write, text)
        return len(text)

    def flush(self) -> None:
        """Flush, or do nothing."""
        self._try(self.stream.flush)

    def fileno(self) -> int:
        """Return the descriptor."""
        return self.stream.fileno()

    def isatty(self) -> bool:
        """Tell whether it is a terminal."""
        return self.stream.isatty()

    def writable(self) -> bool:
        """Return True."""
        return True

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def _try(self, act: Callable[..., object], *arguments: str) -> None:
        try:
            act(*arguments)
        except RuntimeError:  # a signal handler that writes while this is writing
            return
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, self.stream.fileno())
                os.close(nowhere)


def exit_code(work: Callable[[], object]) -> int:
    """Do a command's work and return its exit code; what stopped it is said in a line.

    0 done, 2 what was asked for is wrong or not there, 1 the system failed
    """
    try:
        work()
    except (ValueError, FileNotFoundError) as error:
        print(visible(str(error)), file=sys.stderr)
        return WRONG
    except OSError as error:
        print(visible(str(error)), file=sys.stderr)
        return WRONG if error.errno in WRONG_PATH else 1
    return 0


def path(text: str) -> Path:
    """Parse a path given to argparse. Empty text, such as an unset variable in quotes, is refused."""
    if not text:
        raise argparse.ArgumentTypeError("expected a path, got empty text")
    return Path(text)


def make_folder(option: str, folder: Path) -> None:
    """Create the directory that an option names.

    Raises:
        ValueError: it cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = "is not a directory" if isinstance(error, FileExistsError) else f"cannot be created: {error.strerror}"
        raise ValueError(f"{option} {folder}: {why}; expected a directory to write to") from error
