"""Identification of processes, and checks whether they are alive."""

from __future__ import annotations

import contextlib
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


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
        namespace = os.readlink("/proc/self/ns/pid")
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
