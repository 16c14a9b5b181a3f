"""What takes the place of `torch.cuda` for the pretended device."""

from __future__ import annotations

from typing import Any

import torch
from tests.rehearsal import device_memory, pretended

from gansweep import device as devices

GIB = 1 << 30


def replacements() -> list[tuple[Any, str, Any]]:
    """Return object, name and replacement of every function: `cuda` is the pretended device and its memory."""
    resolve = devices.resolve

    def resolve_pretended(name: str) -> torch.device:
        return torch.device(pretended.NAME, 0) if name.startswith(pretended.DEVICE_TYPES) else resolve(name)

    return [
        (devices, "resolve", resolve_pretended),
        (torch.cuda, "reset_peak_memory_stats", _reset_peak),
        (torch.cuda, "max_memory_allocated", lambda device=None: device_memory.MEMORY.peak),
        (torch.cuda, "memory_allocated", lambda device=None: device_memory.MEMORY.live),
        (torch.cuda, "mem_get_info", lambda device=None: (8 * GIB, 16 * GIB)),
        (torch.cuda, "empty_cache", lambda: None),
        (torch.cuda, "get_device_name", lambda device=None: "pretended GPU"),
    ]


def _reset_peak(device=None) -> None:
    device_memory.MEMORY.peak = device_memory.MEMORY.live
