"""A directory that is not writable is reported before training."""

from __future__ import annotations

import os
import subprocess

import pytest
from fault_child import command


@pytest.fixture
def read_only(tmp_path):
    """Return a directory that is read-only, also for root."""
    folder = tmp_path / "here"
    folder.mkdir()
    if os.geteuid() != 0:
        folder.chmod(0o555)
        yield folder
        folder.chmod(0o755)
        return
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", folder], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"root may write everywhere, and can't mount here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_output_that_cannot_be_written(read_only):
    ended = command(read_only, "optimizer=adam,sgd", "name=s")
    assert ended.code == 2, ended.text
    assert "outputs/s" in ended.text
    assert "Read-only file system" in ended.text or "Permission denied" in ended.text
    assert "Traceback" not in ended.text


def test_a_plan_of_a_read_only_directory(read_only):
    ended = command(read_only, "optimizer=adam,sgd", "name=s", "plan=true")
    assert ended.code == 0, ended.text
    assert "2 new" in ended.text
