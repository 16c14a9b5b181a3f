"""Cells trained by two workers, and a process that trains them as its children."""

from __future__ import annotations

import io
import os
import select
import signal
import time

from fake_cells import cell, one_by_one

from gansweep.sweep.progress import Progress
from gansweep.sweep.sweep import Sweep
from gansweep.training.interruption import Interrupted, Stop

PATIENCE_S = 60


def cells(root, *optimizers):
    return [cell(root, optimizer=name) for name in optimizers]


def run(those, train, stop=lambda: False):
    quiet = Progress(len(those), io.StringIO())
    return Sweep(those[0].directory.parent, those).run(one_by_one(train), stop=stop, progress=quiet, workers=2)


class Parent:
    """Process with two workers that train until a stop is requested.

    All hold the writing end of a pipe, so the end of the pipe is the end of the last process.
    """

    def __init__(self, those) -> None:
        self.reading, writing = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            try:
                os.close(self.reading)
                with Stop(quiet=True) as stop:
                    code = run(those, lambda *them: self._train(writing, *them), stop).exit_code
            finally:
                os._exit(code)
        os.close(writing)
        for _ in range(2):
            assert self._read() == b"."

    @staticmethod
    def _train(writing, of, stop, progress):
        os.write(writing, b".")
        while not stop():
            progress(1, 2, "")
            time.sleep(0.001)
        (of.directory / "saved").touch()
        raise Interrupted(1)

    def _read(self) -> bytes:
        ready, _, _ = select.select([self.reading], [], [], PATIENCE_S)
        assert ready, "no message within the time limit"
        return os.read(self.reading, 1)

    def end(self, number: signal.Signals) -> int:
        """Send a signal and wait for all processes; return the status of the parent as `os.waitpid` does."""
        os.kill(self.pid, number)
        end = os.waitpid(self.pid, 0)[1]
        assert self._read() == b""
        os.close(self.reading)
        return end
