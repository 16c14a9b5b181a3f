"""Progress of a process in a file of the sweep's directory, from which another process can show it.

Nothing depends on these files: a sweep is continued from its records, checkpoints and claims.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gansweep.sweep import process
from gansweep.training import atomic

PREFIX = ".progress."
EVERY_S, STALE_S = 5.0, 60.0  # time between two writes; age above which the process of another machine counts as dead


class ProgressFile:
    """File with the cells that a process and its workers train now.

    Args:
        root: directory of the sweep.
    """

    def __init__(self, root: Path) -> None:
        self.path = root / f"{PREFIX}{platform.node()}.{os.getpid()}.json"
        self._written, self._taken = time.monotonic(), 0

    def write(self, running: Mapping[str, tuple[int, int]], taken: int) -> None:
        """Write the step and the total steps of every running cell, at most every five seconds.

        An error is ignored: the training goes on without the file.

        Args:
            running: step and total steps by cell.
            taken: steps since the last call.
        """
        now = time.monotonic()
        self._taken += taken
        if now - self._written < EVERY_S:
            return
        speed = self._taken / (now - self._written)
        self._written, self._taken = now, 0
        content = {"process": process.here(), "running": running, "steps_per_s": speed, "host": platform.node()}
        with contextlib.suppress(OSError):
            atomic.write(self.path, json.dumps(content))

    def remove(self) -> None:
        """Delete the file."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)


@dataclass(frozen=True)
class RunningProcess:
    """Progress that a process has reported.

    Args:
        host: name of its machine.
        pid: its number.
        running: step and total steps of its cells, by name.
        steps_per_s: steps of all its cells together.
        age_s: seconds since the report.
    """

    host: str
    pid: int
    running: Mapping[str, tuple[int, int]]
    steps_per_s: float
    age_s: float


def read(root: Path) -> list[RunningProcess]:
    """Return the reports of the processes that are alive; a file that is no report is ignored."""
    found = []
    for path in sorted(root.glob(f"{PREFIX}*.json")):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            age = max(0.0, time.time() - path.stat().st_mtime)
            content = json.loads(path.read_text())
            alive = process.alive(content["process"])
            if alive is False or (alive is None and age > STALE_S):
                continue
            running = {str(name): (int(at), int(of)) for name, (at, of) in content["running"].items()}
            pid, speed = int(content["process"]["pid"]), float(content["steps_per_s"])
            found.append(RunningProcess(str(content["host"]), pid, running, speed, age))
    return found
