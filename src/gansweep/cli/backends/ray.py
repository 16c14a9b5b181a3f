"""Ray backend: tasks on the workers of a cluster, or of a Ray instance started on this machine."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from gansweep.cli.backends import Request

ray: Any = import_module("ray")  # optional dependency


def submit(request: Request) -> Sequence[Submitted]:
    """Start the tasks; tasks without a free worker are queued."""
    work, path = request.work, list(sys.path)

    def task() -> int:
        # Makes the user's modules importable; gansweep itself is installed on the workers.
        sys.path.extend(folder for folder in path if folder not in sys.path)
        return work()

    try:
        ray.init(ignore_reinit_error=True, **request.settings["init"])
        options = {"num_cpus": request.cpus, "num_gpus": request.gpus} | request.settings["remote"]
        start = ray.remote(**options)(task).remote
    except (RuntimeError, AssertionError, TypeError, ConnectionError) as error:
        raise ValueError(str(error)) from error
    return [Submitted(start()) for _ in range(request.tasks)]


@dataclass(frozen=True)
class Submitted:
    """Handle of a Ray task."""

    result: Any

    def ended(self) -> bool:
        """Return whether there is a result or an error."""
        return bool(ray.wait([self.result], timeout=0)[0])

    def cancel(self) -> None:
        """Interrupt the task."""
        ray.cancel(self.result)

    def trouble(self) -> str | None:
        """Return the last line of the task's exception; None without one."""
        try:
            ray.get(self.result)
        except Exception as error:
            return f"task {self.result.hex()[:8]}: {str(error).strip().splitlines()[-1]}"
        return None
