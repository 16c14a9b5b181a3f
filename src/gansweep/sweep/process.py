"""Processes: their identification, whether they are alive, and what dead ones have left.

`CrashHistory` describes the deaths of processes that trained a cell. Marker files of trial runs show deaths in a trial.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gansweep.training import atomic

MAX_DEATHS = 2
TRIAL_PREFIX = ".trial."


def here() -> dict[str, str | int]:
    """Return host, pid and start time of this process, by which other processes identify it.

    `host` contains the host name, the boot id and the pid namespace: containers may share a host name, and a pid is
    unique only within one namespace and one boot.
    """
    return {"host": _host(), "pid": os.getpid(), "started": _started(os.getpid()) or ""}


def alive(owner: Mapping[str, Any]) -> bool | None:
    """Return True if the process of a `here()` is alive, None if this can't be determined on this machine."""
    if owner.get("host") != _host():
        return None
    try:
        started = _started(int(owner["pid"]))
    except (OSError, KeyError, ValueError, TypeError, OverflowError):
        return None
    return started is not None and started == owner.get("started")


def rebooted(owner: Mapping[str, Any]) -> bool:
    """Return True if a process ended because this machine was rebooted."""
    theirs, ours = str(owner.get("host", "")).split(), _host().split()
    return len(theirs) == len(ours) == 3 and theirs[0] == ours[0] and theirs[1] != ours[1]


def _host() -> str:
    boot, namespace = "", ""
    with contextlib.suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    with contextlib.suppress(OSError):
        namespace = str(Path("/proc/self/ns/pid").readlink())
    return " ".join((platform.node(), boot, namespace)).strip()


def _started(pid: int) -> str | None:
    """Return the start time of a process, None if it has ended. A pid may be reused by another process.

    Raises:
        OSError: the start time is not accessible.
    """
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            # Processes of other users may be hidden in /proc; their pid still exists.
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                return None
            raise
        state, started = fields[0], fields[19]
        return None if state in "ZX" else started
    if sys.platform == "win32":
        raise OSError("the start time of a process is not available on this system")
    result = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return result.stdout.strip() or None


class ProcessDied(Exception):
    """Recorded as the error of a cell whose processes died repeatedly."""


@dataclass(frozen=True)
class CrashHistory:
    """Information about dead previous owners of a cell, whose training may have caused the deaths.

    Args:
        limit: maximum size of a pack with this cell: half the size of the pack whose process died.
        deaths: exit codes or signals of processes that died while they trained only this cell, as reported by their
            parent process.
    """

    limit: int
    deaths: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the fields in JSON types."""
        return {"limit": self.limit, "deaths": list(self.deaths)}

    @classmethod
    def in_claim(cls, content: Mapping[str, Any]) -> CrashHistory | None:
        """Return the crash history stored in a claim, None if there is none."""
        limit, deaths = content.get("limit"), content.get("deaths")
        if not isinstance(limit, int):
            return None
        return cls(max(limit, 1), tuple(map(str, deaths)) if isinstance(deaths, list) else ())

    @classmethod
    def after_death(cls, content: Mapping[str, Any]) -> CrashHistory | None:
        """Return the crash history that follows from the claim of a dead process; a reboot of the machine adds none."""
        before = cls.in_claim(content)
        if not content or content.get("released") or rebooted(content):
            return before
        together = content.get("together")
        limit = max(together // 2, 1) if isinstance(together, int) else 1
        return cls(limit, before.deaths if before else ())


@contextlib.contextmanager
def trial_marker(root: Path) -> Iterator[None]:
    """Keep a marker file in the directory of a sweep while this process runs a trial.

    Trial runs of a few steps measure the best pack size and hold no claims. If a process dies in a trial, its marker
    remains, so that the trial is not repeated.
    """
    path = root / f"{TRIAL_PREFIX}{secrets.token_hex(8)}"
    with contextlib.suppress(OSError):
        atomic.write(path, json.dumps(here()))
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink()


def died_in_trial(root: Path) -> bool:
    """Return True if a process on this machine died in a trial run."""
    return any(_is_of_dead_process(path) for path in root.glob(f"{TRIAL_PREFIX}*"))


def remove_trial_markers(root: Path) -> None:
    """Remove the marker files of dead processes; called when all cells have ended."""
    for path in root.glob(f"{TRIAL_PREFIX}*"):
        if _owner(path) is None or _is_of_dead_process(path) or rebooted(_owner(path) or {}):
            with contextlib.suppress(OSError):
                path.unlink()


def _is_of_dead_process(path: Path) -> bool:
    owner = _owner(path)
    return owner is not None and alive(owner) is False


def _owner(path: Path) -> dict[str, str | int] | None:
    try:
        content = json.loads(atomic.read(path))
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


class Heartbeat:
    """Thread that calls functions periodically, one after another. It runs while there are functions.

    A forked process does not inherit the thread; there the functions are forgotten.

    Args:
        interval_s: returns the seconds between two calls of a function.
    """

    def __init__(self, interval_s: Callable[[], float]) -> None:
        self.interval_s = interval_s
        self._forget()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._functions: set[Callable[[], None]] = set()
        self._changed = threading.Condition()
        self._running, self._due = False, 0.0

    def add(self, function: Callable[[], None]) -> None:
        """Call a function from now on.

        Raises:
            RuntimeError: no thread can be started.
        """
        with self._changed:
            due = time.monotonic() + self.interval_s()
            if not self._running:
                self._due = due
                threading.Thread(target=self._run, name="gansweep-heartbeat", daemon=True).start()
                self._running = True
            elif due < self._due:
                self._due = due
                self._changed.notify()
            self._functions.add(function)

    def remove(self, function: Callable[[], None]) -> None:
        """Call a function no more. A call that has begun may still end."""
        with self._changed:
            self._functions.discard(function)
            if not self._functions:
                self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while self._functions and time.monotonic() < self._due:
                    self._changed.wait(self._due - time.monotonic())
                if not self._functions:
                    self._running = False
                    return
                functions = list(self._functions)
                self._due = time.monotonic() + self.interval_s()
            for function in functions:
                function()
