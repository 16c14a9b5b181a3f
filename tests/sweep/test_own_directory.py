"""Starting over renames a sweep's own directory and no other; no cell lies outside of it."""

from __future__ import annotations

import io
import json
import os

import pytest
from fake_cells import Trainer, cell

from gansweep.formatting import is_folder_name
from gansweep.results.table import write as write_table
from gansweep.sweep.one_by_one import one_by_one
from gansweep.sweep.progress import Progress
from gansweep.sweep.sweep import FROZEN, Sweep, set_aside

QUIET = {"progress": Progress(0, io.StringIO()), "wait": False}


def grid(root, *optimizers):
    return [cell(root, optimizer=name) for name in optimizers]


@pytest.fixture
def root(tmp_path):
    """A finished sweep with everything that reports may leave there."""
    root = tmp_path / "outputs/s"
    sweep = Sweep(root, grid(root, "adam", "sgd"), "typed")
    sweep.freeze()
    sweep.run(one_by_one(Trainer()), **QUIET)
    write_table(sweep)
    (root / "report.html").touch()
    (root / "pictures").mkdir()
    (root / "pictures/curves.png").touch()
    (root / ".submitit/7").mkdir(parents=True)
    return root


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def refused(root, word, top):
    before = names(top)
    with pytest.raises(ValueError, match=word):
        set_aside(root)
    assert names(top) == before


def test_a_sweep_with_its_reports_is_renamed(root):
    assert set_aside(root) == root.with_name("s.1")
    assert not root.exists()


def test_an_empty_directory_stays(tmp_path):
    (tmp_path / "s").mkdir()
    assert set_aside(tmp_path / "s") is None
    assert (tmp_path / "s").is_dir()


@pytest.mark.parametrize("foreign", ["thesis.docx", "src/main.py", ".git/config", "other/sweep.json"])
def test_a_directory_with_something_else_in_it_is_not_renamed(root, tmp_path, foreign):
    """Mistake: `hydra.sweep.dir=. fresh=true` takes everything along."""
    (root / foreign).parent.mkdir(exist_ok=True)
    (root / foreign).touch()
    refused(root, foreign.partition("/")[0], tmp_path)


def test_a_directory_that_is_no_sweep_is_not_renamed(root, tmp_path):
    """Mistake: `name=. fresh=true` renames all of outputs/."""
    refused(root.parent, "no sweep.json", tmp_path)


def test_the_working_directory_is_not_renamed(root, tmp_path, monkeypatch):
    cell = next(path.parent for path in root.glob("*/record.json"))
    for here in (root, cell):
        monkeypatch.chdir(here)
        refused(root, "working directory", tmp_path)


def test_a_link_is_renamed_itself(root, tmp_path):
    (tmp_path / "link").symlink_to(root)
    (tmp_path / "link.1").symlink_to("nowhere")
    assert set_aside(tmp_path / "link") == tmp_path / "link.2"
    assert (tmp_path / "link.2").is_symlink()
    assert (root / FROZEN).exists()


@pytest.mark.parametrize("name", ["..", ".", "", "../../home", "a/b", "/tmp/x", "a\nb", "a\x1b[2Jb", "a\u202eb", " "])
def test_a_cell_outside_of_the_sweep_is_ignored(root, caplog, name):
    """Mistake: `"name": ".."` in sweep.json has a cell's files written above the sweep."""
    content = json.loads((root / FROZEN).read_text())
    hashes = [cell["hash"] for cell in content["cells"]]
    content["cells"][0]["name"] = name
    content["cells"].append(content["cells"][0] | {"hash": "0" * 64})
    (root / FROZEN).write_text(json.dumps(content))
    sweep = Sweep(root, grid(root, "adam", "sgd"))
    assert "not a folder name" in caplog.text
    assert "\x1b" not in caplog.text
    assert {cell.directory.parent for cell in sweep.all_cells} == {root}
    assert {cell.hash for cell in sweep.all_cells} == set(hashes)  # the other's is found by its record


@pytest.mark.parametrize("name", ["lr=0.1,optimizer=adam", "a b", "ü", "..a", "a.", "-x"])
def test_names_of_folders(name):
    assert is_folder_name(name)
    assert os.path.basename(name) == name
