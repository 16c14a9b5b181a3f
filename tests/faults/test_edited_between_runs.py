"""Code, configuration or data that are edited while a sweep runs, or between two goes at it."""

from __future__ import annotations

import functools
import json
import shutil
import signal
from pathlib import Path

from failing_rule import TRUST, YAML
from fault_child import GRID, command
from moments import kill_after_saving
from sweep_contents import records

from gansweep.training.run import NUMERICS


def test_a_yaml_that_is_edited_while_the_sweep_runs_counts_for_the_next_one(tmp_path):
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
    assert "optimizer.momentum" in head, "what was edited has to be told apart in the table"


def new_arithmetic() -> None:
    from gansweep.training import run

    run.NUMERICS = "of tomorrow"


def test_new_arithmetic_neither_continues_nor_counts_as_the_old(tmp_path, undisturbed):
    folder = tmp_path / "here"
    assert command(folder, *GRID, fault=functools.partial(kill_after_saving, 6)).code == -signal.SIGKILL
    ended = command(folder, *GRID, fault=new_arithmetic)
    assert ended.code == 0, ended.text
    frozen = json.loads((folder / "outputs/s/sweep.json").read_text())["cells"]
    assert sorted(cell["identity"]["numerics"] for cell in frozen) == [NUMERICS] * 3 + ["of tomorrow"] * 3
    assert "numerics" in ended.text
    assert "continuing from step" not in "".join(p.read_text() for p in folder.glob("outputs/s/*/gansweep.log"))


def test_a_checkpoint_of_another_training_is_refused_and_what_differs_is_said(tmp_path, undisturbed):
    folder = tmp_path / "here"
    shutil.copytree(undisturbed[0].parents[1], folder)
    sweep = folder / "outputs/s"
    one, other, *_ = sorted(sweep.glob("*/checkpoint.pt"))
    (one.parent / "record.json").unlink()
    shutil.copy(other, one)
    ended = command(folder, *GRID)
    assert ended.code == 1, ended.text
    assert "ResumeError" in ended.text and "config.lr was 0.01 and is now 0.001" in ended.text
    assert "fresh=true" in ended.text
    untouched = Path(other).parent.name
    assert records(sweep)[untouched] == records(undisturbed[0])[untouched]
