"""Engines that lend machines to a sweep, a file for each: what `hydra.launcher.backend` may name.

A backend starts the same task several times, tells whether one has ended, and can ask it to stop.
What a task does is not its business (`gansweep.cli.scale_out`).
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, cast

HERE = "local"


@dataclass(frozen=True)
class Request:
    """What a sweep asks of a backend.

    Args:
        work: of one task; returns an exit code. It can be pickled.
        tasks: how many.
        cpus: cores that each needs.
        gpus: that each needs.
        settings: of the backend itself.
        folder: for the backend's own files, seen by all tasks.
    """

    work: Callable[[], int]
    tasks: int
    cpus: int
    gpus: int
    settings: Mapping[str, Any]
    folder: Path


class Task(Protocol):
    """One of the tasks that were started."""

    def ended(self) -> bool:
        """Tell whether it runs no more, and will not begin."""
        ...

    def cancel(self) -> None:
        """Ask it to save and stop."""
        ...

    def trouble(self) -> str | None:
        """Say, once it has ended, why it did not come to its end."""
        ...


class Backend(Protocol):
    """What a file of this folder holds. It is imported when it is chosen."""

    def submit(self, request: Request) -> Sequence[Task]:
        """Start the tasks and return at once.

        Raises:
            ValueError: the settings are not what this backend knows.
        """
        ...


def names() -> list[str]:
    """List what may be chosen.

    >>> names()
    ['local', 'ray', 'submitit']
    """
    return sorted([HERE, *(module.name for module in pkgutil.iter_modules(__path__))])


def installed(name: str) -> bool:
    """Tell whether the package of a backend, which is called as it is, can be imported."""
    return name == HERE or find_spec(name) is not None


def backend(name: str) -> Backend:
    """Import a backend."""
    return cast(Backend, import_module(f"{__name__}.{name}"))
