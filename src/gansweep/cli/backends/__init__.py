"""Backends of `hydra.launcher.backend`, one file each.

A backend starts the same task several times, reports whether a task has ended, and can cancel it.
The work of a task is defined in `gansweep.cli.scale_out`.
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
    """Tasks to start and their resources.

    Args:
        work: picklable function of one task; returns an exit code.
        tasks: number of tasks.
        cpus: cores per task.
        gpus: GPUs per task.
        settings: backend-specific settings.
        folder: directory for the backend's files, visible to all tasks.
    """

    work: Callable[[], int]
    tasks: int
    cpus: int
    gpus: int
    settings: Mapping[str, Any]
    folder: Path


class Task(Protocol):
    """Handle of a started task."""

    def ended(self) -> bool:
        """Return whether the task has ended, or was cancelled before it began."""
        ...

    def cancel(self) -> None:
        """Request the task to save and stop."""
        ...

    def trouble(self) -> str | None:
        """Return why an ended task failed; None if it succeeded."""
        ...


class Backend(Protocol):
    """Interface of the modules in this folder. A module is imported when its backend is chosen."""

    def submit(self, request: Request) -> Sequence[Task]:
        """Start the tasks and return their handles without waiting.

        Raises:
            ValueError: the backend refuses the settings.
        """
        ...


def names() -> list[str]:
    """Return the names of all backends.

    >>> names()
    ['local', 'ray', 'submitit']
    """
    return sorted([HERE, *(module.name for module in pkgutil.iter_modules(__path__))])


def installed(name: str) -> bool:
    """Return whether the package of a backend, which has the same name, can be imported."""
    return name == HERE or find_spec(name) is not None


def backend(name: str) -> Backend:
    """Import and return a backend."""
    return cast(Backend, import_module(f"{__name__}.{name}"))
