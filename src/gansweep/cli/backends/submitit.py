"""Slurm's array tasks, or processes of this machine to try it out, through submitit."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import FrameType
from typing import Any

from gansweep.cli.backends import Request

submitit: Any = import_module("submitit")  # an extra


def submit(request: Request) -> Sequence[Submitted]:
    """Start an array of tasks."""
    settings = {key: value for key, value in request.settings.items() if key != "cluster"}
    own = {"name": "gansweep", "cpus_per_task": request.cpus, "gpus_per_node": request.gpus}
    try:
        executor = submitit.AutoExecutor(folder=request.folder, cluster=request.settings.get("cluster"))
        executor.update_parameters(**own | settings)
        with executor.batch():
            jobs = [executor.submit(Continuable(request.work)) for _ in range(request.tasks)]
    except (NameError, AssertionError, RuntimeError) as error:  # what submitit, or Slurm, does not know
        raise ValueError(str(error)) from error
    return [Submitted(job) for job in jobs]


@dataclass(frozen=True)
class Submitted:
    """A task, as submitit knows it."""

    job: Any

    def ended(self) -> bool:
        """Look for its result, or ask Slurm."""
        return self.job.done()

    def cancel(self) -> None:
        """Send it SIGTERM, or SIGINT on this machine."""
        self.job.cancel(check=False)

    def trouble(self) -> str | None:
        """Return the last line of what it raised."""
        try:
            error = self.job.exception()
        except Exception as unknown:  # no result: it was killed
            error = unknown
        return None if error is None else f"task {self.job.job_id}: {str(error).strip().splitlines()[-1]}"


class Continuable:
    """Work that is put into the queue again when its time is over or others are let in.

    submitit's own handler would break off in the middle of a step. This one first has the work
    stop as by Ctrl-C, so that all is saved.
    """

    def __init__(self, work: Callable[[], int]) -> None:
        self.work = work

    def __call__(self) -> int:
        """Do the work, until its end or until the warning that comes before the end of the time."""
        number = submitit.JobEnvironment()._usr_sig()
        warned: list[int] = []
        own = os.getpid()

        def warn(number: int, frame: FrameType | None) -> None:
            del frame
            if not warned and os.getpid() == own:  # its workers are told by it
                signal.raise_signal(signal.SIGINT)
            warned.append(number)

        queue_again = signal.signal(number, warn)
        try:
            code = self.work()
        finally:
            signal.signal(number, queue_again)
        if warned and callable(queue_again):
            queue_again(number, None)
        return code

    def checkpoint(self) -> Any:
        """Return what is put into the queue again."""
        return submitit.helpers.DelayedSubmission(self)
