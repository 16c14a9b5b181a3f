"""Command lines whose sweeps are trained once for all tests of a module."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import pytest

from gansweep.cli import app


def typed(folder: Path, *lines: Sequence[str]) -> Path:
    """Run command lines in an empty folder, and return the directory of their sweeps."""
    log = logging.getLogger()
    handlers, level = list(log.handlers), log.level
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("GANSWEEP_CACHE", str(folder / "cache"))
        patch.setattr(
            "gc.collect", lambda *generation: 0
        )  # would run after every cell and take 0.3 s once torch is imported
        assert [app.run(line) for line in lines] == [0] * len(lines)
    log.handlers[:] = handlers
    log.setLevel(level)
    return folder / "outputs"
