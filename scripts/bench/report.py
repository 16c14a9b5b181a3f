"""Print and write a benchmark table with the machine and the versions."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import torch


def cores() -> int:
    """Return the number of CPU cores that are available to this process."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def report(name: str, title: str, lines: Sequence[str], how: str, *, device: str = "cpu", write: bool) -> None:
    """Print a table, and write it to docs/records/<name>.md if `write` is set.

    Args:
        name: of the file, without suffix.
        title: heading of the file.
        lines: of the table.
        how: one or two sentences on the measurement.
        device: device of the measurement.
        write: write the file.
    """
    hardware = f"{_processor()}, {cores()} cores"
    if device.startswith("cuda"):
        hardware += f", {torch.cuda.get_device_name(device)}, CUDA {torch.version.cuda}"
    command = f"python scripts/bench/{Path(sys.argv[0]).name} {' '.join(sys.argv[1:])}".strip()
    made = (
        f"Made on {date.today()} by `{command}`: {hardware}, torch {torch.__version__}, Python "
        f"{platform.python_version()}. {how}"
    )
    text = "\n".join([f"# {title}", "", *lines, "", made, ""])
    print(text)
    if write:
        path = Path(__file__).parents[2] / "docs" / "records" / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()
