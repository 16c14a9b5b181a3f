"""Progress of a sweep: its display, and a file from which another process can show it.

Nothing depends on these files: a sweep is continued from its records, checkpoints and claims.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import platform
import shutil
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from gansweep.formatting import shortened, visible
from gansweep.sweep import process
from gansweep.sweep.cell import State, cells
from gansweep.training import atomic

BETWEEN_LINES_S = 0.2
FIRST_PLAIN_LINE_S, BETWEEN_PLAIN_LINES_S = 5.0, 60.0
MAX_NAMED = 2
LEAST_LEFT_S, EVALUATING = 0.5, "evaluating"  # a shorter time would be shown as 0 s
SHORTEST_NAME, FINISHED_NAME = 20, 40  # columns of a shortened name
PREFIX = ".progress."
EVERY_S, STALE_S = 5.0, 60.0  # time between two writes; age above which the process of another machine counts as dead


class Progress:
    """Progress display: one line for the current cell, rewritten in place, and one line per finished cell.

    If the stream is not a terminal, there is one line per finished cell, and one for all running cells after 5 s, 10 s,
    20 s, ..., then every minute, without such a line.

    Args:
        total: number of cells.
        stream: output stream; default: stderr.
        mode: bar: rewrite a line, plain: print lines, off: print nothing, auto: bar on a terminal, otherwise plain.
        file: where other processes read the progress; None for nowhere.
    """

    def __init__(
        self, total: int, stream: TextIO | None = None, mode: str = "auto", file: ProgressFile | None = None
    ) -> None:
        self.total, self.stream = total, io.StringIO() if mode == "off" else stream or sys.stderr or io.StringIO()
        self.live = mode == "bar" or (mode == "auto" and self.stream.isatty())
        self.file = file
        self._wait_s = FIRST_PLAIN_LINE_S
        self.counts: Counter[State] = Counter()
        self.trained = 0
        self._running: dict[str, tuple[int, int]] = {}  # step and total steps
        self._first: dict[str, int] = {}  # first known step of a running cell: it may continue from a checkpoint
        self._steps = 0  # taken since the last line
        self._ended: dict[str, State] = {}
        self._started = self._written = time.monotonic()
        self._width = 0

    def skip(self, state: State) -> None:
        """Count a cell that needs no training."""
        self.counts[state] += 1

    def step(self, name: str, step: int, total_steps: int, text: str = "") -> None:
        """Show the current step of a cell; `text` is its latest metric value."""
        now = time.monotonic()
        taken = step - self._running.get(name, (step, 0))[0]
        self._steps += taken
        self._running[name] = step, max(total_steps, 1)
        self._first.setdefault(name, step)
        if self.file is not None:
            self.file.write(self._running, taken)
        is_due = now - self._written >= (BETWEEN_LINES_S if self.live else self._wait_s)
        if not is_due and not (self.live and step >= total_steps):
            return
        if self.live:
            running = f"{len(self._running)} running" if len(self._running) > 1 else ""
            parts = (f"step {step}/{total_steps}", text, running, self._counted(), self._left())
            self._rewrite(self._line(name, *parts))
        else:
            self._print(self._counted(), self._steps_of_all(), self._speed(now), self._left())
            self._wait_s = min(2 * self._wait_s, BETWEEN_PLAIN_LINES_S)
        self._written, self._steps = now, 0

    def finish(self, name: str, state: State, text: str = "") -> None:
        """Count a finished cell and show its state.

        A cell can finish twice: if its record could not be written, another worker may train it again.
        """
        self.counts[state] += 1
        if name in self._ended:
            self.counts[self._ended[name]] -= 1
        self._ended[name] = state
        self.trained += 1
        self._running.pop(name, None)
        self._first.pop(name, None)
        self._rewrite("")
        ended = " ".join(filter(None, (state.value, text)))
        self._print(
            self._line(name, ended, self._counted(), self._left(), shortest=FINISHED_NAME).replace(" | ", ": ", 1)
        )
        if not self.live:
            self._written, self._steps = time.monotonic(), 0

    def close(self) -> None:
        """Remove the file."""
        if self.file is not None:
            self.file.remove()

    def _line(self, *parts: str, shortest: int = SHORTEST_NAME) -> str:
        """Return a line of a name and further parts.

        On a terminal it fits the width, as a longer one could not be rewritten: the name loses its last settings, and
        the last parts are left out, as long as fewer than `shortest` columns would remain for the name.
        """
        name, *rest = filter(None, parts)
        if not self.live:
            return " | ".join((name, *rest))
        width = shutil.get_terminal_size().columns - 1
        while len(rest) > 1 and min(len(name), shortest) + len(" | ".join(("", *rest))) > width:
            rest.pop()
        line = " | ".join(("", *rest))
        return shortened(name, max(width - len(line), 1)) + line

    def _print(self, *parts: str) -> None:
        print(visible(" | ".join(filter(None, parts))), file=self.stream, flush=True)

    def _steps_of_all(self) -> str:
        """Return the steps of the running cells."""
        steps = [f"{name} step {step} of {total}" for name, (step, total) in self._running.items()]
        more = f" and {len(steps) - MAX_NAMED} more" if len(steps) > MAX_NAMED else ""
        return f"{len(steps)} running: {', '.join(steps[:MAX_NAMED])}{more}"

    def _speed(self, now: float) -> str:
        """Return the steps of all cells per second since the last line."""
        return f"{self._steps / (now - self._written):.3g} steps/s" if self._steps else ""

    def _counted(self) -> str:
        done = self.counts.total()
        others = [
            f"{self.counts[s]} {s.value}"
            for s in (State.DIVERGED, State.DROPPED, State.FAILED, State.CLAIMED)
            if self.counts[s]
        ]
        return ", ".join([f"{done}/{cells(self.total)}", *others])

    def _left(self) -> str:
        """Return the estimated remaining time, from the cells that this process has trained so far.

        After the last step of all cells only final evaluations are left, whose time is not known.
        """
        begun = sum(step / total for step, total in self._running.values())
        here = begun - sum(self._first[name] / total for name, (_, total) in self._running.items())
        trained, left = self.trained + here, self.total - self.counts.total() - begun
        if trained <= 0 or left <= 0:
            return ""
        seconds = (time.monotonic() - self._started) / trained * left
        is_at_end = all(step >= total - 1 for step, total in self._running.values()) or seconds < LEAST_LEFT_S
        if self._running and is_at_end and self.counts.total() + len(self._running) >= self.total:
            return EVALUATING
        return f"{duration(seconds)} left"

    def _rewrite(self, line: str) -> None:
        line = visible(line)
        if self.live:
            # The cursor returns to the start, so that a log message of a worker overwrites the line.
            self.stream.write("\r" + line.ljust(self._width) + "\r")
            self.stream.flush()
            self._width = len(line)


def duration(seconds: float) -> str:
    """Format a duration in seconds, minutes or hours.

    >>> duration(42), duration(600), duration(30000)
    ('42 s', '10 min', '8.3 h')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


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


def read_progress(root: Path) -> list[RunningProcess]:
    """Return the reports of the processes that are alive; a file that is not a report is ignored."""
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
