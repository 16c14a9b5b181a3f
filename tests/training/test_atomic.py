"""Atomic writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from gansweep.training import atomic


def test_only_files_of_a_killed_write_are_deleted(tmp_path, monkeypatch):
    atomic.write(tmp_path / "record.json", "whole")
    (tmp_path / ".claim.0").write_text("{}")
    with monkeypatch.context() as killed:
        killed.setattr(Path, "replace", lambda *names: (_ for _ in ()).throw(KeyboardInterrupt))
        killed.setattr(Path, "unlink", lambda path: None)
        with pytest.raises(KeyboardInterrupt):
            atomic.write(tmp_path / "record.json", "torn")
    assert len(list(tmp_path.iterdir())) == 3
    atomic.forget_unfinished(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".claim.0", "record.json"]
    assert (tmp_path / "record.json").read_text() == "whole"
