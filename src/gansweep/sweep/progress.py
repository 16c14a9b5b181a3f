"""Progress display of a sweep."""

from __future__ import annotations

import io
import sys
import time
from collections import Counter
from typing import TextIO

from gansweep.formatting import visible
from gansweep.sweep.cell import State, cells

BETWEEN_LINES_S = 0.2


class Progress:
    """Progress display: one line for the current cell, rewritten in place, and one line per finished cell.

    If the stream is not a terminal, only finished cells are shown.

    Args:
        total: number of cells.
        stream: output stream; default: stderr.
    """

    def __init__(self, total: int, stream: TextIO | None = None) -> None:
        self.total, self.stream = total, stream or sys.stderr or io.StringIO()
        self.live = self.stream.isatty()
        self.counts: Counter[State] = Counter()
        self.trained = 0
        self._fractions: dict[str, float] = {}
        self._ended: dict[str, State] = {}
        self._started = self._written = time.monotonic()
        self._width = 0

    def skip(self, state: State) -> None:
        """Count a cell that needs no training."""
        self.counts[state] += 1

    def step(self, name: str, step: int, total_steps: int, text: str = "") -> None:
        """Show the current step of a cell; `text` is its latest metric value."""
        now = time.monotonic()
        self._fractions[name] = step / max(total_steps, 1)
        if not self.live or (now - self._written < BETWEEN_LINES_S and step < total_steps):
            return
        self._written = now
        pack = f"{len(self._fractions)} together" if len(self._fractions) > 1 else ""
        parts = (name, f"step {step}/{total_steps}", text, pack, self._counted(), self._left())
        self._rewrite(" | ".join(filter(None, parts)))

    def finish(self, name: str, state: State, text: str = "") -> None:
        """Count a finished cell and show its state.

        A cell can finish twice: if its record could not be written, another worker may train it again.
        """
        self.counts[state] += 1
        if name in self._ended:
            self.counts[self._ended[name]] -= 1
        self._ended[name] = state
        self.trained += 1
        self._fractions.pop(name, None)
        self._rewrite("")
        what = " ".join(filter(None, (state.value, text)))
        print(
            visible(" | ".join(filter(None, (f"{name}: {what}", self._counted(), self._left())))),
            file=self.stream,
            flush=True,
        )

    def _counted(self) -> str:
        done = self.counts.total()
        others = [
            f"{self.counts[s]} {s.value}" for s in (State.DIVERGED, State.FAILED, State.CLAIMED) if self.counts[s]
        ]
        return ", ".join([f"{done}/{cells(self.total)}", *others])

    def _left(self) -> str:
        """Return the estimated remaining time, from the cells that this process has trained so far."""
        begun = sum(self._fractions.values())
        trained, left = self.trained + begun, self.total - self.counts.total() - begun
        if trained <= 0 or left <= 0:
            return ""
        return f"{duration((time.monotonic() - self._started) / trained * left)} left"

    def _rewrite(self, line: str) -> None:
        line = visible(line)
        if self.live:
            self.stream.write("\r" + line.ljust(self._width) + ("" if line else "\r"))
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
