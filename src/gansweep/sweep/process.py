"""Which process this is, and whether another one still lives."""

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
    """Describe this process so that another one, perhaps on another machine, can look for it.

    Two containers may have the same host name, and a process number counts in one namespace
    and since one start of the machine only: all of that is part of `host`.
    """
    return {"host": _host(), "pid": os.getpid(), "started": _started(os.getpid()) or ""}


def alive(owner: Mapping[str, Any]) -> bool | None:
    """Tell whether the process of a `here()` lives, None if that can't be known from here."""
    if owner.get("host") != _host():
        return None
    try:
        started = _started(int(owner["pid"]))
    except (OSError, KeyError, ValueError, TypeError, OverflowError):
        return None
    return started is not None and started == owner.get("started")


def rebooted(owner: Mapping[str, Any]) -> bool:
    """Tell whether a process ended because its machine, which is this one, was started anew."""
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
    """Say when a process began, None if it has ended; its number may be taken again by then.

    Raises:
        OSError: nobody here can tell.
    """
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            # Other users' processes may be hidden; only then does the number still exist.
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                return None
            raise
        state, started = fields[0], fields[19]
        return None if state in "ZX" else started
    if sys.platform == "win32":
        raise OSError("the start of a process is not known on this system")
    found = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.strip() or None
