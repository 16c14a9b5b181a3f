"""Console output and exit codes of commands; a closed pipe is not an error."""

from __future__ import annotations

import argparse
import contextlib
import errno
import io
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version
from typing import Any, TextIO

from gansweep import __version__
from gansweep.formatting import visible

WRONG, INTERRUPTED = 2, 130
# Errors caused by a wrong path from the user, as opposed to a system failure.
WRONG_PATH = (errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP)


def say(text: object, end: str = "\n") -> None:
    """Print and flush. If the reader has closed the pipe, as `head` does, discard this and all further output.

    The command then still writes its files and exits as if its output had been read.
    """
    try:
        print(visible(str(text)), end=end, flush=True)
    except BrokenPipeError:
        discard_output(sys.stdout.fileno())


def discard_output(descriptor: int) -> None:
    """Redirect a file descriptor to the null device."""
    null_device = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null_device, descriptor)
    os.close(null_device)


def say_error(text: object) -> None:
    """Print to stderr."""
    print(visible(str(text)), file=sys.stderr)


def protect() -> None:
    """Replace stdout and stderr by streams whose writes never raise, so that training continues without a terminal.

    Closed standard descriptors are reopened on the null device. Otherwise the next opened file would get the number of
    the descriptor, and the output of libraries would be written into it.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number, which is this one
        if number and not isinstance(stream := getattr(sys, name), Protected):
            setattr(sys, name, Protected(stream or open(number, "w", closefd=False)))  # noqa: SIM115


class Protected(io.TextIOBase):
    """Text stream that suppresses write errors. After the first error all output is discarded.

    Args:
        stream: the wrapped stream.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write text, ignoring errors, and return its length."""
        self._try(self.stream.write, text)
        return len(text)

    def flush(self) -> None:
        """Flush, ignoring errors."""
        self._try(self.stream.flush)

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self.stream.fileno()

    def isatty(self) -> bool:
        """Return True if the stream is a terminal."""
        return self.stream.isatty()

    def writable(self) -> bool:
        """Return True."""
        return True

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def _try(self, call: Callable[..., object], *arguments: str) -> None:
        try:
            call(*arguments)
        except RuntimeError:  # reentrant call: a signal handler writes during this write
            return
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                discard_output(self.stream.fileno())


def exit_code(work: Callable[[], object]) -> int:
    """Run a command and return its exit code; print an error as one line to stderr.

    The number that `work` returns, or 0: success; 1: system error; 2: wrong or missing input; 130: interrupted by
    Ctrl-C
    """
    try:
        code = work()
    except KeyboardInterrupt:
        return INTERRUPTED
    except (ValueError, FileNotFoundError) as error:
        say_error(error)
        return WRONG
    except OSError as error:
        say_error(error)
        return WRONG if error.errno in WRONG_PATH else 1
    return code if isinstance(code, int) else 0


def interruptible(main: Callable[[Sequence[str]], int]) -> Callable[[Sequence[str]], int]:
    """Decorator of the main function of a command: after Ctrl-C it returns 130, without a traceback."""

    @wraps(main)
    def interruptible_main(arguments: Sequence[str]) -> int:
        try:
            return main(arguments)
        except KeyboardInterrupt:
            return INTERRUPTED

    return interruptible_main


def allowed_modules(words: Iterable[str]) -> list[str]:
    """Return the modules of the words `allow=[MODULE,...]`, the form of a command that trains.

    >>> allowed_modules(["lr=1e-3", "allow=[my_gans, my_nets]"])
    ['my_gans', 'my_nets']
    """
    lists = (word.partition("=")[2].strip("[]").split(",") for word in words if word.startswith("allow="))
    return [name.strip() for names in lists for name in names]


def command_name(name: str) -> str:
    """Return how a command was called, for its messages: `gansweep report` or `python -m gansweep.report`."""
    is_script = Path(sys.argv[0]).name in ("gansweep", "gansweep.exe")
    return f"gansweep {name}" if is_script else f"python -m gansweep.{name}"


def versions() -> str:
    """Return the versions of gansweep, Python, torch and Hydra, without importing them."""
    return (
        f"gansweep {__version__} (Python {python_version()}, torch {_version('torch')}, Hydra {_version('hydra-core')})"
    )


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "not installed"


def path(text: str) -> Path:
    """Parse a path for argparse; reject empty text, such as an unset shell variable in quotes."""
    if not text:
        raise argparse.ArgumentTypeError("expected a path, got empty text")
    return Path(text)


def make_folder(option: str, folder: Path) -> None:
    """Create the directory given by an option.

    Raises:
        ValueError: the directory cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = "is not a directory" if isinstance(error, FileExistsError) else f"cannot be created: {error.strerror}"
        raise ValueError(f"{option} {folder}: {why}; expected a directory to write to") from error
