"""Train a sweep on the machines of a backend: each task trains packs of the cells that are not locked."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf

from gansweep.cli import backends
from gansweep.cli.backends import Request, Task
from gansweep.config.errors import BadConfig, Problem
from gansweep.sweep.run_state import Outcome
from gansweep.training.interruption import Stop

if TYPE_CHECKING:
    from gansweep.cli.sweeping import Multirun

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5
COUNTS = {"tasks": 1, "cpus": 1, "gpus": 0}  # minimum of each
MOST = 1024  # maximum of each; the backend may be this machine


@dataclass(frozen=True)
class Share:
    """Picklable work of one task: its share of a checked sweep.

    All tasks iterate over the same cells, as several processes of one machine do. Each task runs until all
    cells have ended, and so takes over the cells of a lost task.

    Args:
        multirun: the checked sweep with its configurations; later edits of YAML files have no effect.
        failed: records of the cells that had failed before. A cell that fails in another task is not tried again.
        folder: working directory of the command.
        tasks: number of tasks that share the cells.
        cpus: cores of each task.
    """

    multirun: Multirun
    failed: Mapping[str, dict[str, Any]]
    folder: Path
    tasks: int
    cpus: int

    def __call__(self) -> int:
        """Train the share and return the exit code."""
        os.chdir(self.folder)
        self.multirun.listen()
        self.multirun.refuse_edited()
        return self.multirun.train_here(self.failed, self.tasks, self.cpus).exit_code


def chosen(master: DictConfig) -> dict[str, Any]:
    """Return the checked settings of gansweep's launcher; the local backend if another launcher is chosen.

    Raises:
        BadConfig: with all problems of the settings.
    """
    node = master.hydra.launcher
    if not COUNTS.keys() <= node.keys():  # joblib's launcher has a `backend` too
        return {"backend": backends.HERE}
    settings: Any = OmegaConf.to_container(node, resolve=True)
    name, problems = settings["backend"], []
    if name not in backends.names():
        choices = ", ".join(backends.names())
        problems.append(Problem("hydra.launcher.backend", f"={name}: Choose one of {choices}"))
    elif not backends.installed(name):
        problems.append(
            Problem("hydra.launcher.backend", f'={name}: {name} is not installed: pip install "gansweep[{name}]"')
        )
    problems += [
        Problem(f"hydra.launcher.{key}", f"={settings[key]}: expected a whole number from {least} to {MOST}")
        for key, least in COUNTS.items()
        if type(settings[key]) is not int or not least <= settings[key] <= MOST
    ]
    if problems:
        raise BadConfig(problems)
    return settings


def train(multirun: Multirun, settings: Mapping[str, Any]) -> Outcome:
    """Start the tasks of a backend, wait until they have ended, and return the outcome of the sweep.

    On Ctrl-C every task saves and stops. The tasks continue if this process dies.

    Raises:
        BadConfig: the backend refuses its settings.
    """
    sweep = multirun.sweep()
    failed = sweep.failed()
    retried = failed if multirun.config["retry_failed"] else {}
    outcome = sweep.outcome(retried)
    if not outcome.missing:
        return outcome
    name, tasks, cpus = settings["backend"], settings["tasks"], settings["cpus"]
    work = Share(multirun, failed, Path.cwd(), tasks, cpus)
    request = Request(work, tasks, cpus, settings["gpus"], settings[name], multirun.root / f".{name}")
    with Stop() as stop:
        try:
            started = backends.backend(name).submit(request)
        except ValueError as error:
            raise BadConfig([Problem(f"hydra.launcher.{name}", str(error))]) from error
        log.info("%d tasks of %s train this sweep", tasks, name)
        _wait(started, stop)
        for task in started:
            trouble = None if stop() else task.trouble()
            if trouble is not None:
                log.warning("%s: %s", name, trouble)
        outcome = sweep.outcome(retried)
        outcome.interrupted = stop() and bool(outcome.missing)
        return outcome


def _wait(started: Sequence[Task], stop: Callable[[], bool]) -> None:
    """Wait until all tasks have ended; cancel them if `stop` returns True."""
    cancelled = False
    while not all(task.ended() for task in started):
        if stop() and not cancelled:
            cancelled = True
            for task in started:
                task.cancel()
        time.sleep(LOOK_EVERY_S)
