"""Versions, commit and hardware in the record."""

from __future__ import annotations

import platform
import shutil
import subprocess

import pytest

from gansweep.device import processor
from gansweep.training import record


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Create a repository with gansweep in src/."""
    if shutil.which("git") is None:
        pytest.skip("no git here")
    monkeypatch.setattr(record, "__file__", str(tmp_path / "src/gansweep/training/record.py"))
    record.commit.cache_clear()
    (tmp_path / "src/gansweep").mkdir(parents=True)
    yield tmp_path
    record.commit.cache_clear()


def git(root, *arguments):
    who = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
    return subprocess.run(["git", "-C", root, *who, *arguments], check=True, capture_output=True, text=True).stdout


def begin(root):
    git(root, "init", "-q")
    (root / "file").write_text("1")
    git(root, "add", "file")
    git(root, "commit", "-qm", "first")
    return git(root, "rev-parse", "HEAD").strip()


def test_the_commit_of_a_checkout_and_whether_it_was_edited(package, monkeypatch):
    head = begin(package)
    monkeypatch.setenv("GIT_DIR", "/nowhere")  # as inside a hook
    assert record.versions()["commit"] == head
    (package / "file").write_text("2")
    record.commit.cache_clear()
    assert record.versions()["commit"] == f"{head}-dirty"


def test_without_a_checkout_there_is_no_commit(package, monkeypatch, capfd):
    assert "commit" not in record.versions()
    begin(package)
    for path in ("venv/lib/gansweep/training/record.py", "venv/src/gansweep/training/record.py"):
        monkeypatch.setattr(record, "__file__", str(package / path))
        record.commit.cache_clear()
        assert "commit" not in record.versions()
    assert capfd.readouterr() == ("", "")


def test_a_repository_that_git_refuses_has_no_commit(package, capfd):
    (package / ".git").mkdir()
    assert record.commit() is None
    assert capfd.readouterr() == ("", "")


def test_the_name_of_the_processor(tmp_path):
    info = tmp_path / "cpuinfo"
    info.write_text(
        "processor\t: 0\nmodel\t\t: 85\nmodel name\t: Some CPU @ 2.00GHz\n\nprocessor\t: 1\nmodel name\t: x\n"
    )
    assert processor(info) == "Some CPU @ 2.00GHz"
    info.write_text("processor\t: 0\n")
    assert processor(info) == processor(tmp_path / "none") == (platform.processor() or platform.machine())
