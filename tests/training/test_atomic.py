"""Files that are whole or not there."""

from __future__ import annotations

import os

import pytest

from gansweep.training import atomic


def test_what_a_killed_process_left_is_forgotten_and_nothing_else(tmp_path, monkeypatch):
    atomic.write(tmp_path / "record.json", "whole")
    (tmp_path / ".claim.0").write_text("{}")
    with monkeypatch.context() as killed:
        killed.setattr(os, "replace", lambda *names: (_ for _ in ()).throw(KeyboardInterrupt))
        killed.setattr(os, "unlink", lambda name: None)
        with pytest.raises(KeyboardInterrupt):
            atomic.write(tmp_path / "record.json", "torn")
    assert len(list(tmp_path.iterdir())) == 3
    atomic.forget_unfinished(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".claim.0", "record.json"]
    assert (tmp_path / "record.json").read_text() == "whole"
