"""Full or closed standard streams, and a user without a home directory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from fault_child import TINY

SWEEP = (*TINY, "lr=1e-3,1e-2", "steps=2", "name=s", "trainer.tensorboard=true")
HOMELESS = """
import os, pwd, sys
def unknown(uid):
    raise KeyError(uid)
pwd.getpwuid = unknown
for name in ("HOME", "LOGNAME", "USER", "LNAME", "USERNAME", "GANSWEEP_CACHE"):
    os.environ.pop(name, None)
from gansweep.cli.app import main
sys.exit(main())
"""


def shell(folder: Path, redirected: str, *overrides: str, command=("-m", "gansweep")) -> int:
    line = f'exec "$@" {redirected}'
    words = ["sh", "-c", line, "sh", sys.executable, *command, *SWEEP, *overrides]
    return subprocess.run(words, cwd=folder, stdin=subprocess.DEVNULL, timeout=120, check=False).returncode


def states(folder: Path) -> list[str]:
    return [json.loads(path.read_text())["state"] for path in folder.glob("outputs/s/*/record.json")]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("redirected", ["2>/dev/full", ">/dev/full 2>&1", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_full_or_closed_streams(tmp_path, redirected, workers):
    assert shell(tmp_path, redirected, f"workers={workers}") == 0
    assert states(tmp_path) == ["completed"] * 2
    assert shell(tmp_path, redirected, "lr=-1") == 2


@pytest.mark.slow
def test_streams_that_fail_from_the_start(tmp_path):
    full = ">/dev/full 2>&-" if Path("/dev/full").exists() else ">&- 2>&-"
    assert shell(tmp_path, full, "workers=2") == 0
    assert states(tmp_path) == ["completed"] * 2


def test_a_user_without_name_and_home(tmp_path):
    assert shell(tmp_path, "", command=("-c", HOMELESS)) == 0
    assert states(tmp_path) == ["completed"] * 2
