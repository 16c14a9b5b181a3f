"""How much memory there is, to refuse what cannot fit before it is allocated."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

GIB = 1 << 30
CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def available_bytes() -> int:
    """Return the memory that this process can still get: that of the machine, or of its container if that is less."""
    limits = []
    with contextlib.suppress(OSError, IndexError, ValueError):
        limits.append(int(Path("/proc/meminfo").read_text().split("MemAvailable:")[1].split()[0]) * 1024)
    if not limits:  # no Linux
        with contextlib.suppress(OSError, ValueError, AttributeError):
            limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for path in CGROUP_LIMITS:
        with contextlib.suppress(OSError, ValueError):
            limits.append(int(Path(path).read_text()))
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource  # not on Windows

        soft, _ = resource.getrlimit(resource.RLIMIT_AS)
        limits += [soft] if soft != resource.RLIM_INFINITY else []
    return min(limits, default=1 << 62)


def require_memory(name: str, value: int, what: str, bytes_each: int, power: int = 1) -> None:
    """Refuse a number whose data cannot fit in memory.

    Args:
        name: of the setting.
        value: of the setting.
        what: would take the memory.
        bytes_each: the data take bytes_each * value^power.
        power: how they grow.

    Raises:
        ValueError: they take more memory than is available.
    """
    needed, available = bytes_each * value**power, available_bytes()
    if needed > available:
        most = int((available / bytes_each) ** (1 / power))
        raise ValueError(
            f"{name}={value}: {what} would take {needed / GIB:,.1f} GiB of memory, {available / GIB:,.1f} GiB are "
            f"available: expected at most {most}"
        )
