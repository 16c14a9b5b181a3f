"""Train a sweep on the machines of a backend, `hydra.launcher.backend`: one file for each backend.

A backend starts the same task several times, reports whether a task has ended, and can cancel it.
"""

from __future__ import annotations

import logging
import pkgutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, cast

from omegaconf import DictConfig, OmegaConf

from gansweep.config.errors import BadConfig, SettingError
from gansweep.training.interruption import Stop

log = logging.getLogger(__name__)

HERE = "local"
LOOK_EVERY_S = 0.5
COUNTS = {"tasks": 1, "cpus": 1, "gpus": 0}  # minimum of each
MAX_VALUE = 1024  # maximum of each; the backend may be this machine


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


def chosen(master: DictConfig) -> dict[str, Any]:
    """Return the checked settings of gansweep's launcher; the local backend if another launcher is chosen.

    Raises:
        BadConfig: with all problems of the settings.
    """
    node = master.hydra.launcher
    if not COUNTS.keys() <= node.keys():  # joblib's launcher has a `backend` too
        return {"backend": HERE}
    settings: Any = OmegaConf.to_container(node, resolve=True)
    name, problems = settings["backend"], []
    if name not in names():
        choices = ", ".join(names())
        problems.append(SettingError("hydra.launcher.backend", name, f"Choose one of {choices}"))
    elif not installed(name):
        problems.append(
            SettingError("hydra.launcher.backend", name, f'{name} is not installed: pip install "gansweep[{name}]"')
        )
    problems += [
        SettingError(f"hydra.launcher.{key}", settings[key], f"expected a whole number from {least} to {MAX_VALUE}")
        for key, least in COUNTS.items()
        if type(settings[key]) is not int or not least <= settings[key] <= MAX_VALUE
    ]
    if problems:
        raise BadConfig(problems)
    return settings


def train(work: Callable[[], int], settings: Mapping[str, Any], root: Path) -> bool:
    """Start the tasks of a backend, wait until they have ended, and return whether the user asked to stop.

    On Ctrl-C every task saves and stops. The tasks continue if this process dies.

    Args:
        work: picklable function of one task; returns an exit code.
        settings: of the launcher.
        root: directory of the sweep.

    Raises:
        BadConfig: the backend refuses its settings.
    """
    name, tasks = settings["backend"], settings["tasks"]
    request = Request(work, tasks, settings["cpus"], settings["gpus"], settings[name], root / f".{name}")
    with Stop() as stop:
        try:
            started = backend(name).submit(request)
        except ValueError as error:
            raise SettingError(f"hydra.launcher.{name}", None, str(error)) from error
        log.info("%d tasks of %s train this sweep", tasks, name)
        _wait(started, stop)
        for task in started:
            trouble = None if stop() else task.trouble()
            if trouble is not None:
                log.warning("%s: %s", name, trouble)
        return stop()


def _wait(started: Sequence[Task], stop: Callable[[], bool]) -> None:
    """Wait until all tasks have ended; cancel them if `stop` returns True."""
    cancelled = False
    while not all(task.ended() for task in started):
        if stop() and not cancelled:
            cancelled = True
            for task in started:
                task.cancel()
        time.sleep(LOOK_EVERY_S)
