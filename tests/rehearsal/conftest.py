"""Fixtures of the rehearsal: device=cuda means the pretended device."""

from __future__ import annotations

import pytest
import torch
from tests.rehearsal import pretended

from gansweep import device as devices
from gansweep.batched.random_streams import Draws
from gansweep.metrics import cache

GIB = 1 << 30


@pytest.fixture(autouse=True)
def pretended_cuda(monkeypatch, tmp_path):
    """Resolve `cuda` to the pretended device and answer torch.cuda's questions about its memory."""
    if not pretended.SUPPORTED:
        pytest.skip("this version of PyTorch can't register a device in Python")
    pretended.install()
    resolve = devices.resolve

    def resolve_pretended(name: str) -> torch.device:
        return torch.device(pretended.NAME, 0) if name.startswith(pretended.DEVICE_TYPES) else resolve(name)

    monkeypatch.setattr(devices, "resolve", resolve_pretended)
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", _reset_peak)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device=None: pretended.MEMORY.peak)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device=None: (8 * GIB, 16 * GIB))
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device=None: "pretended GPU")
    monkeypatch.setenv("GANSWEEP_CACHE", str(tmp_path / "cache"))
    cache.forget()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def _reset_peak(device=None) -> None:
    pretended.MEMORY.peak = pretended.MEMORY.live


@pytest.fixture(autouse=True)
def prefetched_everywhere(monkeypatch):
    """Draw random numbers for many steps at a time on the CPU too, so that both devices use the same numbers."""
    create = Draws.__init__

    def create_prefetching(self, streams, device, *, ahead=None):
        create(self, streams, device, ahead=True if ahead is None else ahead)

    monkeypatch.setattr(Draws, "__init__", create_prefetching)
