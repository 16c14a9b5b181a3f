"""submitit backend: tasks of a Slurm array, or local processes with cluster=local."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import FrameType
from typing import Any

from gansweep.cli.backends import Request

submitit: Any = import_module("submitit")  # optional dependency


def submit(request: Request) -> Sequence[Submitted]:
    """Submit an array of tasks."""
    settings = {key: value for key, value in request.settings.items() if key != "cluster"}
    resources = {"name": "gansweep", "cpus_per_task": request.cpus, "gpus_per_node": request.gpus}
    try:
        executor = submitit.AutoExecutor(folder=request.folder, cluster=request.settings.get("cluster"))
        executor.update_parameters(**resources | settings)
        with executor.batch():
            jobs = [executor.submit(Continuable(request.work)) for _ in range(request.tasks)]
    except (NameError, AssertionError, RuntimeError) as error:  # settings that submitit or Slurm refuses
        raise ValueError(str(error)) from error
    return [Submitted(job) for job in jobs]


@dataclass(frozen=True)
class Submitted:
    """Handle of a submitit job."""

    job: Any

    def ended(self) -> bool:
        """Return whether there is a result, or Slurm reports the job as ended."""
        return self.job.done()

    def cancel(self) -> None:
        """Send SIGTERM to the job, or SIGINT with cluster=local."""
        self.job.cancel(check=False)

    def trouble(self) -> str | None:
        """Return the last line of the job's exception; None without one."""
        try:
            error = self.job.exception()
        except Exception as unknown:  # no result: the job was killed
            error = unknown
        return None if error is None else f"task {self.job.job_id}: {str(error).strip().splitlines()[-1]}"


class Continuable:
    """Work that is requeued after its time limit or a preemption.

    submitit's own signal handler would stop in the middle of a step. This handler first raises SIGINT, so the
    work saves its state and stops as after Ctrl-C, and then calls submitit's handler.
    """

    def __init__(self, work: Callable[[], int]) -> None:
        self.work = work

    def __call__(self) -> int:
        """Run the work until it ends or the signal before the time limit arrives; return its exit code."""
        number = submitit.JobEnvironment()._usr_sig()
        warned: list[int] = []
        main_pid = os.getpid()

        def warn(number: int, frame: FrameType | None) -> None:
            del frame
            if not warned and os.getpid() == main_pid:  # it passes the request on to its workers
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
        """Return the submission that submitit requeues."""
        return submitit.helpers.DelayedSubmission(self)
