"""How far a sweep is, for the one who waits for it."""

from __future__ import annotations

import sys
import time
from collections import Counter
from typing import TextIO

from gansweep.sweep.cell import State

BETWEEN_LINES_S = 0.2


class Progress:
    """One line for the cell that trains, rewritten in place, and one more for every finished cell.

    Where nobody watches, in a file or a pipe, only the latter.

    Args:
        total: cells to go through.
        stream: where to write.
    """

    def __init__(self, total: int, stream: TextIO | None = None) -> None:
        self.total, self.stream = total, stream or sys.stderr
        self.live = self.stream.isatty()
        self.counts: Counter[State] = Counter()
        self.trained = 0
        self._name = ""
        self._started = self._written = time.monotonic()
        self._width = 0

    def skip(self, state: State) -> None:
        """Count a cell that needs no training."""
        self.counts[state] += 1

    def start(self, name: str) -> None:
        """Begin a cell."""
        self._name = name

    def step(self, step: int, total_steps: int, text: str = "") -> None:
        """Show how far the cell is; `text` says how good it is."""
        now = time.monotonic()
        if not self.live or (now - self._written < BETWEEN_LINES_S and step < total_steps):
            return
        self._written = now
        left = self._left(step / max(total_steps, 1))
        self._rewrite(" | ".join(filter(None, (self._name, f"step {step}/{total_steps}", text, self._counted(), left))))

    def finish(self, state: State, text: str = "") -> None:
        """End a cell."""
        self.counts[state] += 1
        self.trained += 1
        self._rewrite("")
        what = " ".join(filter(None, (state.value, text)))
        left = self._left(0.0)
        print(" | ".join(filter(None, (f"{self._name}: {what}", self._counted(), left))), file=self.stream, flush=True)

    def _counted(self) -> str:
        done = self.counts.total()
        others = [
            f"{self.counts[s]} {s.value}" for s in (State.DIVERGED, State.FAILED, State.CLAIMED) if self.counts[s]
        ]
        return ", ".join([f"{done}/{self.total} cells", *others])

    def _left(self, fraction: float) -> str:
        """Estimate the time to the end by what this process has trained so far."""
        trained, left = self.trained + fraction, self.total - self.counts.total() - fraction
        if trained <= 0 or left <= 0:
            return ""
        return f"{duration((time.monotonic() - self._started) / trained * left)} left"

    def _rewrite(self, line: str) -> None:
        if self.live:
            self.stream.write("\r" + line.ljust(self._width) + ("" if line else "\r"))
            self.stream.flush()
            self._width = len(line)


def duration(seconds: float) -> str:
    """Write a time for people.

    >>> duration(42), duration(600), duration(30000)
    ('42 s', '10 min', '8.3 h')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
