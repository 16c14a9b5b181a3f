"""Code, configuration or data that are edited during a sweep or between two commands."""

from __future__ import annotations

import functools
import json
import shutil
import signal
import sys
from pathlib import Path

import failing_rule
from failing_rule import TRUST, YAML
from fault_child import GRID, command
from moments import kill_after_saving
from sweep_contents import records

from gansweep.report.study import Study
from gansweep.results.leaderboard import leaderboards
from gansweep.training.run import NUMERICS


def test_a_yaml_file_edited_during_a_sweep_affects_the_next_one(tmp_path):
    here = tmp_path / "here"
    (here / "conf/optimizer").mkdir(parents=True)
    (here / "conf/optimizer/failing.yaml").write_text(YAML)
    (here / "broken").touch()
    ended = command(here, *TRUST, "optimizer.how=by_editing,not_at_all")
    assert ended.code == 0, ended.text
    found = [json.loads(path.read_text()) for path in here.glob("outputs/s/*/record.json")]
    assert [record["config"]["optimizer"]["momentum"] for record in found] == [0.0, 0.0]
    assert "momentum: 0.5" in (here / "conf/optimizer/failing.yaml").read_text()

    ended = command(here, *TRUST, "optimizer.how=by_editing,not_at_all")
    assert ended.code == 0, ended.text
    frozen = json.loads((here / "outputs/s/sweep.json").read_text())["cells"]
    assert sorted(cell["config"]["optimizer"]["momentum"] for cell in frozen) == [0.0, 0.0, 0.5, 0.5]
    head = ended.text[ended.text.index("| optimizer") :].splitlines()[0]
    assert "optimizer.momentum" in head, "the edited setting is a column of the table"


def new_arithmetic() -> None:
    from gansweep.training import run

    run.NUMERICS = "of tomorrow"


def test_other_numerics_are_another_identity(tmp_path, undisturbed):
    folder = tmp_path / "here"
    assert command(folder, *GRID, fault=functools.partial(kill_after_saving, 6)).code == -signal.SIGKILL
    ended = command(folder, *GRID, fault=new_arithmetic)
    assert ended.code == 0, ended.text
    frozen = json.loads((folder / "outputs/s/sweep.json").read_text())["cells"]
    assert sorted(cell["identity"]["numerics"] for cell in frozen) == [NUMERICS] * 3 + ["of tomorrow"] * 3
    assert "numerics" in ended.text
    assert "continuing from step" not in "".join(p.read_text() for p in folder.glob("outputs/s/*/gansweep.log"))


def test_a_checkpoint_of_another_training_is_refused_with_the_differences(tmp_path, undisturbed):
    folder = tmp_path / "here"
    shutil.copytree(undisturbed[0].parents[1], folder)
    sweep = folder / "outputs/s"
    one, other, *_ = sorted(sweep.glob("*/checkpoint.pt"))
    (one.parent / "record.json").unlink()
    shutil.copy(other, one)
    ended = command(folder, *GRID)
    assert ended.code == 1, ended.text
    assert "ResumeError" in ended.text
    assert "config.lr was 0.01 and is now 0.001" in ended.text
    assert "fresh=true" in ended.text
    untouched = Path(other).parent.name
    assert records(sweep)[untouched] == records(undisturbed[0])[untouched]


def in_its_folder() -> None:
    """Import modules from the working directory, as `python -m gansweep` does."""
    sys.path.insert(0, "")


def killed_in_its_folder() -> None:
    in_its_folder()
    kill_after_saving(4)


def test_edited_code_is_another_identity(tmp_path):
    here = tmp_path / "here"
    (here / "conf/optimizer").mkdir(parents=True)
    (here / "conf/optimizer/mine.yaml").write_text("_target_: my_rule.Failing\nmomentum: 0.0\n")
    source = Path(failing_rule.__file__).read_text()
    (here / "my_rule.py").write_text(source)
    line = ("--config-dir", "conf", "allow=[my_rule]", "optimizer=mine,adam", "name=s")
    assert command(here, *line, fault=killed_in_its_folder).code == -signal.SIGKILL
    assert len(list(here.glob("outputs/s/optimizer=mine-*/checkpoint.pt"))) == 1

    (here / "my_rule.py").write_text(source.replace("value=-1)", "value=-3)"))
    unfinished = "my_rule.py changed since the unfinished training: 1 cell will be trained again"
    ended = command(here, *line, fault=in_its_folder)
    assert ended.code == 0, ended.text
    assert unfinished in ended.text
    assert "continuing from step" not in "".join(p.read_text() for p in here.glob("outputs/s/*mine*/gansweep.log"))
    trained = sorted(here.glob("outputs/s/*/record.json"))
    assert len(trained) == 2

    (here / "my_rule.py").write_text(source.replace("value=-1)", "value=-3)  # comment"))
    assert "Nothing is left to train" in command(here, *line, "plan=true", fault=in_its_folder).text
    (here / "my_rule.py").write_text(source.replace("value=-1)", "value=-4)"))
    today = json.loads(trained[0].read_text())["time"]["finished"][:10]
    changed = f"my_rule.py changed since the record of {today}: 1 cell will be trained again"
    assert changed in command(here, *line, "plan=true", fault=in_its_folder).text
    ended = command(here, *line, fault=in_its_folder)
    assert ended.code == 0, ended.text
    assert changed in ended.text
    assert len(list(here.glob("outputs/s/*/record.json"))) == 3
    assert "of other versions of edited code left out" in ended.text

    (here / "my_rule.py").write_text(source.replace("value=-1)", "value=-3)"))
    restored = command(here, *line, fault=in_its_folder)
    assert restored.code == 0, restored.text
    frozen = json.loads((here / "outputs/s/sweep.json").read_text())
    (current,) = frozen["code"].values()
    shown = Study.read(here / "outputs/s")
    (leaderboard,) = leaderboards(shown.results, code=shown.code)
    assert [run.cell.identity.get("code", {}).get("my_rule") for run in leaderboard.results] == [current, None]
    versions = [
        run["identity"]["code"]["my_rule"]
        for run in map(json.loads, map(Path.read_text, trained))
        if "code" in run["identity"]
    ]
    assert versions == [current], "the version of the second training, not that of the third"
