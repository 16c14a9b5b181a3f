"""Available memory, and a check of memory requirements before allocation."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

GIB = 1 << 30
CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def available_bytes() -> int:
    """Return the memory available to this process: that of the machine or the limit of its container, if lower."""
    limits = []
    with contextlib.suppress(OSError, IndexError, ValueError):
        limits.append(int(Path("/proc/meminfo").read_text().split("MemAvailable:")[1].split()[0]) * 1024)
    if not limits:  # other systems than Linux
        with contextlib.suppress(OSError, ValueError, AttributeError):
            limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for path in CGROUP_LIMITS:
        with contextlib.suppress(OSError, ValueError):
            limits.append(int(Path(path).read_text()))
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource  # not available on Windows

        soft, _ = resource.getrlimit(resource.RLIMIT_AS)
        limits += [soft] if soft != resource.RLIM_INFINITY else []
    return min(limits, default=1 << 62)


def require_memory(name: str, value: int, what: str, bytes_each: int, power: int = 1) -> None:
    """Raise ValueError if the data of a setting would not fit in memory.

    The data take bytes_each * value^power bytes.

    Args:
        name: name of the setting.
        value: value of the setting.
        what: description of the data, for the message.
        bytes_each: bytes at value 1.
        power: exponent of the value.

    Raises:
        ValueError: the data take more memory than is available.
    """
    needed, available = bytes_each * value**power, available_bytes()
    if needed > available:
        most = int((available / bytes_each) ** (1 / power))
        raise ValueError(
            f"{name}={value}: {what} would take {needed / GIB:,.1f} GiB of memory, {available / GIB:,.1f} GiB are "
            f"available: expected at most {most}"
        )
