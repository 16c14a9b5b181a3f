"""Sweeps that are trained once for all tests of a module."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import pytest

from gansweep.cli import app


def typed(folder: Path, *lines: Sequence[str]) -> Path:
    """Type lines in an empty folder, and return where their sweeps are."""
    log = logging.getLogger()
    handlers, level = list(log.handlers), log.level
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("GANSWEEP_CACHE", str(folder / "cache"))
        patch.setattr("gc.collect", lambda *generation: 0)  # after every cell, 0.3 s once torch is there
        assert [app.run(line) for line in lines] == [0] * len(lines)
    log.handlers[:] = handlers
    log.setLevel(level)
    return folder / "outputs"
