"""Tasks on the workers of a Ray cluster, or of one that is started on this machine."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from gansweep.cli.backends import Request

ray: Any = import_module("ray")  # an extra


def submit(request: Request) -> Sequence[Submitted]:
    """Start the tasks; those for which no worker is free wait."""
    work, path = request.work, list(sys.path)

    def task() -> int:
        # Classes of the user's own are found as they are here; gansweep itself is installed there.
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
    """A task, as Ray knows it."""

    result: Any

    def ended(self) -> bool:
        """Look whether there is a result, or an error."""
        return bool(ray.wait([self.result], timeout=0)[0])

    def cancel(self) -> None:
        """Interrupt it."""
        ray.cancel(self.result)

    def trouble(self) -> str | None:
        """Return the last line of what it raised."""
        try:
            ray.get(self.result)
        except Exception as error:
            return f"task {self.result.hex()[:8]}: {str(error).strip().splitlines()[-1]}"
        return None
