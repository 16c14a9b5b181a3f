"""Mistakes: a sweep.json of any kind that ends a sweep or a report, or blocks it, instead of being named."""

from __future__ import annotations

import io
import json
import os

import pytest
from fake_cells import Trainer, cell

from gansweep.sweep import cell_lock
from gansweep.sweep.one_by_one import one_by_one
from gansweep.sweep.progress import Progress
from gansweep.sweep.sweep import FROZEN, Sweep


def folder(path):
    path.mkdir()
    (path / "inside").write_text("1")


def edited(path, edit):
    content = json.loads(path.with_name("whole").read_text())
    edit(content)
    path.write_text(json.dumps(content))


DAMAGES = {
    "nested deeply": lambda path: path.write_text("[" * 100_000),
    "a folder": folder,
    "a pipe": os.mkfifo,
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a list": lambda path: path.write_text("[1, 2]"),
    "cells are text": lambda path: edited(path, lambda content: content.update(cells="x")),
    "a cell is a number": lambda path: edited(path, lambda content: content.update(cells=[1])),
    "400 digits": lambda path: edited(path, lambda content: content["cells"][0]["overrides"].update(lr=10**399)),
    "infinity": lambda path: edited(path, lambda content: content["cells"][0]["identity"].update(lr=float("inf"))),
    "commands": lambda path: edited(path, lambda content: content.update(commands=3)),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_it_is_named_and_written_anew(tmp_path, caplog, damage):
    quiet = {"progress": Progress(0, io.StringIO()), "wait": False}
    first = Sweep(tmp_path, [cell(tmp_path, optimizer="adam")], "first")
    first.freeze()
    assert first.run(one_by_one(Trainer()), **quiet).exit_code == 0
    whole = (tmp_path / FROZEN).read_text()
    (tmp_path / FROZEN).rename(tmp_path / "whole")
    DAMAGES[damage](tmp_path / FROZEN)
    again = Sweep(tmp_path, [cell(tmp_path, optimizer="adam")], "first")
    assert FROZEN in caplog.text
    again.freeze()
    trainer = Trainer()
    assert again.run(one_by_one(trainer), **quiet).exit_code == 0
    assert trainer.trained == []
    assert json.loads((tmp_path / FROZEN).read_text())["cells"] == json.loads(whole)["cells"]


def test_a_claim_that_is_a_link_to_itself_ages(tmp_path):
    path = tmp_path / ".claim.0"
    path.symlink_to(path.name)
    assert cell_lock.Claim.acquire(tmp_path) is None
    os.utime(path, (1, 1), follow_symlinks=False)
    claim = cell_lock.Claim.acquire(tmp_path)
    assert claim is not None
    assert claim.number == 1
    claim.release()
