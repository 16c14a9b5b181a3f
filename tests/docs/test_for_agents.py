"""docs/for_agents.md: every command line runs in order, and the tables of keys and exit codes are complete."""

from __future__ import annotations

import json
import logging
import re
import shlex
from pathlib import Path

import pytest

from gansweep.commands import COMMANDS, main

PAGE = Path(__file__).parents[2] / "docs" / "for_agents.md"
TEXT = PAGE.read_text()
QUICK = ["steps=2", "batch_size=8", "device=cpu", "trainer.tensorboard=false", "workers=1", "pack=12"]
ROWS = re.compile(r"^\| `?(\w+)`? \| (\w+)", re.M)


def lines() -> list[str]:
    blocks = re.findall(r"^```bash\n(.*?)^```", TEXT, re.M | re.S)
    return [line for block in blocks for line in block.splitlines()]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GANSWEEP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("gc.collect", lambda *generation: 0)
    monkeypatch.setattr("gansweep.console.protect", lambda: None)
    yield tmp_path
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.slow
def test_every_command_line_runs(folder, capsys):
    outputs = {}
    for line in lines():
        name, command, *words = shlex.split(line)
        assert name == "gansweep"
        if command in ("train", "check"):
            words += QUICK if command == "train" else []
        assert main([command, *words]) == 0, f"{line}\n{capsys.readouterr().err}"
        outputs[line] = capsys.readouterr().out
    (planned,) = (json.loads(out) for line, out in outputs.items() if "plan=json" in line)
    (status,) = (json.loads(out) for line, out in outputs.items() if "status" in line and "--json" in line)
    (report,) = (json.loads(out) for line, out in outputs.items() if "report outputs/mine --format json" in line)
    assert (planned["num_trained"], status["state"], len(report["candidates"])) == (12, "done", 4)
    for content in (planned, status):
        keys = {*content, *content["cells"][0]}
        assert {key for key in keys if f"`{key}`" not in TEXT} == set()
    assert {"verdict", "p_against_first", "contest"} <= report["columns"].keys()


def test_every_command_is_in_the_page():
    used = {shlex.split(line)[1] for line in lines()}
    assert COMMANDS.keys() - used == {"plane"}  # needs a sweep on two-dimensional data


def test_the_exit_codes_of_a_status_are_those_of_the_page():
    from gansweep import status

    table = {row[1]: int(row[0]) for row in ROWS.findall(TEXT) if row[1] in ("done", "failed", "running", "stopped")}
    assert table == {"done": 0, "failed": status.FAILED, "running": status.RUNNING, "stopped": status.STOPPED}
