"""Reading an output directory executes no code of it."""

from __future__ import annotations

import ast
import json
import os
import pickle
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from fault_child import GRID, command
from sweep_contents import records

import gansweep
from gansweep.cli import app
from gansweep.data.npz import Npz
from gansweep.plane import trained_cell
from gansweep.report.portraits import TwoNumbers
from gansweep.sweep.cell import Cell, Result, State


class Evil:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


def test_files_with_executable_content(tmp_path, undisturbed):
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


def test_a_target_outside_the_package_is_refused_before_its_import(tmp_path):
    here = tmp_path / "here"
    here.mkdir()
    (here / "evil_module.py").write_text("import os\nos.mkdir('executed')\nclass Rule: pass\n")
    for target in ("evil_module.Rule", "os.mkdir", "gansweep.sweep.cell.os.mkdir"):
        ended = command(here, f"optimizer._target_={target}", "lr=1e-3", "name=s")
        assert ended.code == 2, ended.text
        assert target in ended.text
    assert not (here / "executed").exists()
    assert not (here / "outputs").exists()


def foreign_config(mark):
    """Return a config whose model is a class outside the package."""
    node = {"_target_": "subprocess.Popen", "args": ["mkdir", str(mark)]}
    return {"allow": ["subprocess"], "model": node, "seed": 0, "steps": 10}


def test_the_allow_setting_of_a_record_is_not_trusted(tmp_path):
    """Mistake: a report builds classes named in a record, using the `allow` of that record."""
    mark = tmp_path / "executed"
    one = Cell({}, foreign_config(mark), {}, "0" * 64, tmp_path / "c")
    result = Result(one, State.COMPLETED, {"config": one.config, "curves": [{"step": 1, "theta": 0, "psi": 0}]})
    assert TwoNumbers(result).field is None
    with pytest.raises(ValueError, match="subprocess"):
        trained_cell.of(one)
    time.sleep(0.2)
    assert not mark.exists()


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.mkdir [executed]", "!!python/name:os.mkdir ''"])
def test_yaml_tags_are_not_constructed(tmp_path, monkeypatch, capsys, tag):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conf/experiment").mkdir(parents=True)
    (tmp_path / "conf/experiment/evil.yaml").write_text(f"# @package _global_\nname: {tag}\n")
    assert app.run(["--config-dir", "conf", "experiment=evil", "plan=true"]) == 2
    assert "python/" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["conf"]


def test_arrays_of_objects_are_not_unpickled(tmp_path):
    mark = tmp_path / "executed"
    array = np.array([Evil(mark), None], dtype=object)
    np.savez(tmp_path / "a.npz", images=array, x=array)
    with pytest.raises(ValueError, match="a.npz"):
        Npz(path=str(tmp_path / "a.npz"), key="images").read()
    assert not mark.exists()


def test_only_listed_modules_import_by_name():
    """There the name is checked before the import, or is a constant of this package."""
    known = {"instantiate.py", "events.py", "__init__.py", "ray.py", "submitit.py"}
    known |= {"tpe_search.py", "sensitivity.py"}  # Optuna, which is optional
    known |= {"torch_optimizer.py"}  # a class name, which is checked against `allow` before
    known |= {"source_code.py"}  # searches sources for such calls
    known |= {"commands.py", "track/__main__.py"}  # tables of commands
    known |= {"wandb.py", "mlflow.py", "trackio.py"}  # loggers, which are optional
    for path in sorted(Path(gansweep.__file__).parent.rglob("*.py")):
        if "import_module(" in path.read_text() or "__import__" in path.read_text():
            names = {path.name, "/".join(path.parts[-2:])}
            assert names & known, path


def test_no_code_uses_loaders_that_execute_files():
    """Exception: a process pickles work for those it spawns, and results of its forks, in files without a name."""
    pickling = dict.fromkeys(("worker.py", "forking.py"), ("pickle.dump", "pickle.load"))
    for path in sorted(Path(gansweep.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name, where = ast.unparse(node.func), f"{path.name}:{node.lineno}"
            given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            if name == "torch.load":
                assert given.get("weights_only") == "True", where
            assert given.get("allow_pickle", "False") == "False", where
            if name in pickling.get(path.name, ()) or name in ("yaml.safe_dump", "yaml.safe_load"):  # plain values only
                continue
            assert name.split(".")[0] not in ("pickle", "yaml", "joblib", "marshal", "shelve"), where
            assert name not in ("eval", "exec", "compile"), where
