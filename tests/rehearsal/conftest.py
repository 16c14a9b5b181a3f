"""Fixtures of the rehearsal: device=cuda means the pretended device."""

from __future__ import annotations

import pytest
import torch
from tests.rehearsal import answers, installation, pretended

from gansweep.metrics import cache


@pytest.fixture(autouse=True)
def pretended_cuda(monkeypatch, tmp_path):
    """Resolve `cuda` to the pretended device and answer torch.cuda's questions about its memory."""
    if not pretended.SUPPORTED:
        pytest.skip("this version of PyTorch can't register a device in Python")
    installation.install()
    for owner, name, replacement in answers.replacements():
        monkeypatch.setattr(owner, name, replacement)
    monkeypatch.setenv("GANSWEEP_CACHE", str(tmp_path / "cache"))
    cache.forget()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
