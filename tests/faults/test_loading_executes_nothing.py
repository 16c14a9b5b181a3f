"""Whatever lies in an output directory, reading it runs no code of it."""

from __future__ import annotations

import ast
import json
import os
import pickle
import shutil
from pathlib import Path

import torch
from fault_child import GRID, command
from sweep_contents import records

import gansweep


class Evil:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


def test_files_that_would_like_to_be_executed(tmp_path, undisturbed):
    here, mark = tmp_path / "here", tmp_path / "executed"
    shutil.copytree(undisturbed[0].parents[1], here)
    for cell in (path.parent for path in here.glob("outputs/s/*/record.json")):
        record = json.loads((cell / "record.json").read_text())
        record |= {"state": "failed", "config": {"model": {"_target_": "os.mkdir", "path": str(mark)}}}
        (cell / "record.json").write_text(json.dumps(record))
        for name in ("checkpoint.pt", "checkpoint.previous.pt"):
            torch.save({"identity": Evil(mark)}, cell / name)
        (cell / ".hydra/config.yaml").write_text(f"!!python/object/apply:os.mkdir ['{mark}']\n")
        (cell / "record.pkl").write_bytes(pickle.dumps(Evil(mark)))
    sweep = json.loads((here / "outputs/s/sweep.json").read_text())
    for one in sweep["cells"]:
        one["config"] = {"model": {"_target_": "os.mkdir", "path": str(mark)}}
    (here / "outputs/s/sweep.json").write_text(json.dumps(sweep))
    ended = command(here, *GRID)
    assert ended.code == 0, ended.text
    assert not mark.exists()
    assert records(here / "outputs/s") == records(undisturbed[0])


def test_a_target_outside_of_the_package_is_refused_before_it_is_imported(tmp_path):
    here = tmp_path / "here"
    here.mkdir()
    (here / "evil_module.py").write_text("import os\nos.mkdir('executed')\nclass Rule: pass\n")
    for target in ("evil_module.Rule", "os.mkdir", "gansweep.sweep.cell.os.mkdir"):
        ended = command(here, f"optimizer._target_={target}", "lr=1e-3", "name=s")
        assert ended.code == 2 and target in ended.text, ended.text
    assert not (here / "executed").exists() and not (here / "outputs").exists()


def test_no_code_reads_a_file_in_a_way_that_could_execute_it():
    for path in sorted(Path(gansweep.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name, where = ast.unparse(node.func), f"{path.name}:{node.lineno}"
            given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            if name == "torch.load":
                assert given.get("weights_only") == "True", where
            assert given.get("allow_pickle", "False") == "False", where
            assert name.split(".")[0] not in ("pickle", "yaml", "joblib", "marshal", "shelve"), where
            assert name not in ("eval", "exec", "compile"), where
