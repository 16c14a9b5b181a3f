"""A table of a bench with the machine and the versions, and its place under docs/records."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import torch


def cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def report(name: str, title: str, lines: Sequence[str], how: str, *, device: str = "cpu", write: bool) -> None:
    """Print a table, and put it at docs/records/<name>.md if asked to.

    Args:
        name: of the file.
        title: its first line.
        lines: of the table.
        how: what was measured, in a sentence or two.
        device: where it ran.
        write: keep it.
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
