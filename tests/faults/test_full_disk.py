"""A full disk: other cells are trained, and existing files are kept."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess

import pytest
from fault_child import GRID, command
from sweep_contents import leftovers, records, rows

FULL = "No space left on device"


@pytest.fixture
def small_disk(tmp_path):
    """Return a function that mounts a file system of a given size."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if not shutil.which("mount") or os.geteuid() != 0:
        pytest.skip("only root may mount a small file system")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"a small file system can't be mounted here: {mounted.stderr.strip()}")

    def resize(size: str) -> None:
        subprocess.run(["mount", "-o", f"remount,size={size}", disk], check=True)

    yield disk, resize
    subprocess.run(["umount", disk], check=True)


def test_the_disk_is_full_during_the_sweep(small_disk, undisturbed):
    expected, _ = undisturbed
    disk, resize = small_disk
    resize("280k")
    ended = command(disk / "here", *GRID)
    assert ended.code == 1
    assert FULL in ended.text
    sweep = disk / "here/outputs/s"
    done = records(sweep)
    assert 0 < len(done) < 3, "the disk must become full between two cells for this test"
    assert done.items() <= records(expected).items()
    resize("4m")
    ended = command(disk / "here", *GRID)
    assert ended.code == 0, ended.text
    assert records(sweep) == records(expected)
    assert rows(sweep) == rows(expected)
    assert leftovers(sweep) == []


def test_the_disk_is_full_from_the_start(small_disk):
    disk, resize = small_disk
    resize("4k")
    ended = command(disk / "here", *GRID)
    assert ended.code == 2
    assert FULL in ended.text
    assert "outputs/s" in ended.text
    assert "Traceback" not in ended.text


def limit_files() -> None:
    """Limit the size of files while a checkpoint is written."""
    from gansweep.training import checkpoint

    save = checkpoint.save

    def limited(*arguments, **named):
        resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, resource.RLIM_INFINITY))
        try:
            return save(*arguments, **named)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    checkpoint.save = limited


def test_a_checkpoint_that_cannot_be_written_does_not_change_the_results(tmp_path, undisturbed):
    expected, _ = undisturbed
    ended = command(tmp_path / "here", *GRID, fault=limit_files)
    assert ended.code == 0, ended.text
    assert "no checkpoint at step 3" in ended.text
    sweep = tmp_path / "here/outputs/s"
    assert list(sweep.glob("*/checkpoint*")) == []
    assert leftovers(sweep) == []
    here, there = ({name: json.loads(text) for name, text in records(folder).items()} for folder in (sweep, expected))
    checksums = [record.pop("checkpoint", None) for record in there.values()]  # of checkpoints that are not here
    assert any(checksums)
    assert here == there
