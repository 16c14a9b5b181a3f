"""Moments of a command, counted by its calls and file accesses, hence equal on every machine."""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any

COUNTED = "moments.json"


@dataclass
class Moments:
    """Numbers of events.

    Args:
        calls: calls of functions, in Python or C.
        files: files or folders of the sweep opened, listed, renamed, linked or removed.
    """

    calls: int = 0
    files: int = 0

    @classmethod
    def read(cls, folder: Path) -> Moments:
        """Read the numbers counted by `count`."""
        return cls(**json.loads((folder / COUNTED).read_text()))


def count() -> None:
    """Count all moments between the composition of the grid and the table."""
    moments = Moments()
    _watch(moments, lambda: None)
    from gansweep.cli import app

    report = app.report_search

    def counted(hydra: app.HydraApp) -> None:
        sys.setprofile(None)
        Path(COUNTED).write_text(json.dumps(asdict(moments)))
        report(hydra)

    app.report_search = counted


def kill_at(kind: str, number: int) -> None:
    """Kill this process at its n-th moment of a kind."""
    moments = Moments()

    def look() -> None:
        if getattr(moments, kind) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    _watch(moments, look)


def kill_after_saving(times: int) -> None:
    """Kill this process after a number of saved checkpoints."""
    from gansweep.training import checkpoint

    save, saved = checkpoint.save, []

    def counted(*arguments):
        checksum = save(*arguments)
        saved.append(1)
        if len(saved) == times:
            os.kill(os.getpid(), signal.SIGKILL)
        return checksum

    checkpoint.save = counted


def _watch(moments: Moments, look: Callable[[], None]) -> None:
    from gansweep.cli.sweeping import Multirun

    here, run, watched = str(Path.cwd()), Multirun.run, False

    def on_call(frame: FrameType, event: str, argument: Any) -> None:
        if event in ("call", "c_call"):
            moments.calls += 1
            look()

    def on_audit(event: str, arguments: tuple) -> None:
        if watched and arguments and isinstance(arguments[0], (str, os.PathLike)):
            path = os.fspath(arguments[0])
            if isinstance(path, str) and os.path.abspath(path).startswith(here) and event != "compile":  # noqa: PTH100 - few calls
                moments.files += 1
                look()

    @functools.wraps(run)
    def watched_run(*arguments: Any, **named: Any) -> int:
        nonlocal watched
        watched = True
        sys.addaudithook(on_audit)
        sys.setprofile(on_call)
        return run(*arguments, **named)

    Multirun.run = watched_run
