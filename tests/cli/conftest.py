"""The command line in this process, in a new working directory."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.cli.tiny import TINY

from gansweep.cli import app


@dataclass
class Answer:
    code: int
    out: str
    err: str


class CommandLine:
    """Runs `python -m gansweep ...` without a new process."""

    def __init__(self, folder: Path, capsys) -> None:
        self.folder, self._capsys = folder, capsys

    def __call__(self, *arguments: str) -> Answer:
        self._capsys.readouterr()
        code = app.run(arguments)
        said = self._capsys.readouterr()
        return Answer(code, said.out, said.err)

    def tiny(self, *arguments: str) -> Answer:
        """The same with the smallest networks and two steps."""
        return self(*TINY, *arguments)

    def records(self, sweep: str) -> dict[str, dict]:
        """The records of a sweep by the cells' directories."""
        found = sorted((self.folder / "outputs" / sweep).glob("*/record.json"))
        return {path.parent.name: json.loads(path.read_text()) for path in found}


@pytest.fixture
def gansweep(tmp_path, monkeypatch, capsys):
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("gc.collect", lambda *generation: 0)  # after every cell, 0.3 s once torch is there
    yield CommandLine(tmp_path, capsys)
    root.handlers[:] = handlers
    root.setLevel(level)
