"""Reading damaged sweep.json files, and renaming of a sweep's directory for fresh=true."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest
from fake_cells import Trainer, cell, one_by_one

from gansweep.formatting import is_folder_name
from gansweep.results.table import write as write_table
from gansweep.sweep.progress import Progress
from gansweep.sweep.sweep import Sweep
from gansweep.sweep.sweep_directory import FROZEN, set_aside

QUIET = {"progress": Progress(0, io.StringIO()), "wait": False}


def cells(root, *optimizers):
    return [cell(root, optimizer=name) for name in optimizers]


@pytest.fixture
def root(tmp_path):
    """Return the directory of a finished sweep with all files that reports may write."""
    root = tmp_path / "outputs/s"
    sweep = Sweep(root, cells(root, "adam", "sgd"), "typed")
    sweep.freeze()
    sweep.run(one_by_one(Trainer()), **QUIET)
    write_table(sweep)
    (root / "report.html").touch()
    (root / "pictures").mkdir()
    (root / "pictures/curves.png").touch()
    (root / ".submitit/7").mkdir(parents=True)
    return root


def names(directory):
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))


def assert_refused(root, message, top):
    before = names(top)
    with pytest.raises(ValueError, match=message):
        set_aside(root)
    assert names(top) == before


def test_a_sweep_with_its_reports_is_renamed(root):
    assert set_aside(root) == root.with_name("s.1")
    assert not root.exists()


def test_an_empty_directory_is_not_renamed(tmp_path):
    (tmp_path / "s").mkdir()
    assert set_aside(tmp_path / "s") is None
    assert (tmp_path / "s").is_dir()


@pytest.mark.parametrize("foreign", ["thesis.docx", "src/main.py", ".git/config", "other/sweep.json"])
def test_a_directory_with_foreign_files_is_not_renamed(root, tmp_path, foreign):
    """Mistake: `hydra.sweep.dir=. fresh=true` renames foreign files too."""
    (root / foreign).parent.mkdir(exist_ok=True)
    (root / foreign).touch()
    assert_refused(root, foreign.partition("/")[0], tmp_path)


def test_a_directory_without_a_sweep_is_not_renamed(root, tmp_path):
    """Mistake: `name=. fresh=true` renames all of outputs/."""
    assert_refused(root.parent, "no sweep.json", tmp_path)


def test_the_working_directory_is_not_renamed(root, tmp_path, monkeypatch):
    cell = next(path.parent for path in root.glob("*/record.json"))
    for here in (root, cell):
        monkeypatch.chdir(here)
        assert_refused(root, "working directory", tmp_path)


def test_a_symbolic_link_is_renamed_and_its_target_is_not(root, tmp_path):
    (tmp_path / "link").symlink_to(root)
    (tmp_path / "link.1").symlink_to("nowhere")
    assert set_aside(tmp_path / "link") == tmp_path / "link.2"
    assert (tmp_path / "link.2").is_symlink()
    assert (root / FROZEN).exists()


@pytest.mark.parametrize("name", ["..", ".", "", "../../home", "a/b", "/tmp/x", "a\nb", "a\x1b[2Jb", "a\u202eb", " "])
def test_a_cell_outside_the_sweep_is_ignored(root, caplog, name):
    """Mistake: with `"name": ".."` in sweep.json a cell is written to the parent directory."""
    content = json.loads((root / FROZEN).read_text())
    hashes = [cell["hash"] for cell in content["cells"]]
    content["cells"][0]["name"] = name
    content["cells"].append(content["cells"][0] | {"hash": "0" * 64})
    (root / FROZEN).write_text(json.dumps(content))
    sweep = Sweep(root, cells(root, "adam", "sgd"))
    assert "not a folder name" in caplog.text
    assert "\x1b" not in caplog.text
    assert {cell.directory.parent for cell in sweep.all_cells} == {root}
    assert {cell.hash for cell in sweep.all_cells} == set(hashes)  # its record still identifies the renamed cell


@pytest.mark.parametrize("name", ["lr=0.1,optimizer=adam", "a b", "ü", "..a", "a.", "-x"])
def test_valid_folder_names(name):
    assert is_folder_name(name)
    assert Path(name).name == name


def _folder(path):
    path.mkdir()
    (path / "inside").write_text("1")


def _edit(path, edit):
    content = json.loads(path.with_name("whole").read_text())
    edit(content)
    path.write_text(json.dumps(content))


DAMAGES = {
    "nested deeply": lambda path: path.write_text("[" * 100_000),
    "a folder": _folder,
    "a pipe": os.mkfifo,
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a list": lambda path: path.write_text("[1, 2]"),
    "cells are text": lambda path: _edit(path, lambda content: content.update(cells="x")),
    "a cell is a number": lambda path: _edit(path, lambda content: content.update(cells=[1])),
    "400 digits": lambda path: _edit(path, lambda content: content["cells"][0]["overrides"].update(lr=10**399)),
    "infinity": lambda path: _edit(path, lambda content: content["cells"][0]["identity"].update(lr=float("inf"))),
    "commands": lambda path: _edit(path, lambda content: content.update(commands=3)),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_sweep_json_is_named_and_written_again(tmp_path, caplog, damage):
    first = Sweep(tmp_path, [cell(tmp_path, optimizer="adam")], "first")
    first.freeze()
    assert first.run(one_by_one(Trainer()), **QUIET).exit_code == 0
    whole = (tmp_path / FROZEN).read_text()
    (tmp_path / FROZEN).rename(tmp_path / "whole")
    DAMAGES[damage](tmp_path / FROZEN)
    again = Sweep(tmp_path, [cell(tmp_path, optimizer="adam")], "first")
    assert FROZEN in caplog.text
    again.freeze()
    trainer = Trainer()
    assert again.run(one_by_one(trainer), **QUIET).exit_code == 0
    assert trainer.trained == []
    assert json.loads((tmp_path / FROZEN).read_text())["cells"] == json.loads(whole)["cells"]
