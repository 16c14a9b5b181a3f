"""python -m gansweep.schedules"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gansweep.cli.schedules import curves_of, main
from gansweep.config.errors import BadConfig
from gansweep.schedules.cosine import Cosine
from gansweep.schedules.equal_area import EqualArea
from gansweep.schedules.step import Step
from gansweep.schedules.warmup import Warmup

PAGE = Path(__file__).parents[2] / "docs" / "sweeps.md"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def labels(*overrides):
    return [curve.label for curve in curves_of(overrides)]


def test_curves_are_the_rates_of_the_runs():
    cosine, step = curves_of(["schedule=cosine,step", "lr=1e-3", "steps=40", "schedule.end=0.1"])
    assert [cosine.label, step.label] == ["cosine, end=0.1", "step"]
    np.testing.assert_array_equal(cosine.rates, 1e-3 * Cosine(0.1).values(40))
    np.testing.assert_array_equal(step.rates, 1e-3 * Step(num_drops=2).values(40))


def test_a_choice_inside_a_choice():
    line = ["schedule=equal_area", "schedule@schedule.of=warmup", "schedule@schedule.of.after=cosine", "steps=30"]
    (curve,) = curves_of([*line, "schedule.of.length=5"])
    assert curve.label == "equal_area, of=warmup, of.after=cosine, of.length=5"
    np.testing.assert_array_equal(curve.rates, 1e-4 * EqualArea(Warmup(5, Cosine())).values(30))


def test_a_schedule_of_the_user_is_found(folder):
    (folder / "my" / "schedule").mkdir(parents=True)
    (folder / "my" / "schedule" / "mine.yaml").write_text("_target_: gansweep.schedules.cosine.Cosine\nend: 0.5\n")
    cosine, mine = curves_of(["schedule=cosine,mine", "steps=9"], str(folder / "my"))
    assert [cosine.label, mine.label] == ["cosine", "mine"]
    np.testing.assert_array_equal(mine.rates, 1e-4 * Cosine(0.5).values(9))


def test_a_line_of_the_main_command_has_each_curve_once():
    assert labels("optimizer=adam,sgd", "seed=0,1,2", "schedule=cosine,step", "steps=9") == ["cosine", "step"]
    assert labels("schedule=cosine", "lr=1e-3,1e-4", "steps=9") == ["cosine, lr=0.001", "cosine, lr=0.0001"]
    assert labels("steps=5,9") == ["constant, steps=5", "constant, steps=9"]
    assert labels("experiment=smoke", "schedule.end=0.5", "schedule=cosine") == ["cosine, end=0.5"]
    assert len(curves_of(["experiment=smoke"])[0].rates) == 20


def test_the_discriminators_rates_are_shown_where_they_differ():
    g, d = curves_of(["schedule=cosine", "schedule@schedule_d=step", "schedule_d.gamma=0.5", "steps=9"])
    assert [g.label, d.label] == ["cosine", "step, gamma=0.5 (discriminator)"]
    np.testing.assert_array_equal(d.rates, 1e-4 * Step(gamma=0.5, num_drops=2).values(9))
    assert labels("schedule=cosine", "lr_d=1e-3") == ["cosine, lr=0.0001", "cosine (discriminator), lr=0.001"]
    assert labels("schedule=cosine", "schedule@schedule_d=cosine") == ["cosine"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("schedule=cosine,stepp", ["schedule=stepp: did you mean step?"]),
        ("schedule=cosine,step schedule.endd=1", ["schedule.endd=1: unknown key; did you mean schedule.end?"]),
        ("schedule=cosine schedule.end=-1 lr=0", ["lr=0.0: expected a finite rate"]),
        ("lr=abc", ["lr=abc: expected a number"]),
        ("lr=${nothing}", ["nothing"]),
        ("allow=3", ["allow=3: expected a list"]),
        ("steps=1e10", ["steps=10000000000: expected at most"]),
        ("schedule=cosine,wsd schedule.end=-1", ["schedule.end=-1.0: expected a number >= 0"]),
        ("schedule=piecewise schedule.pieces=[[1,9]]", ["pieces: schedule shorter than the run"]),
        ("steps=0", ["steps=0: expected a whole number"]),
        ("epochs=3", ["epochs=3: the number of steps"]),
        ("schedule=null", ["schedule=null"]),
        ("schedule=cosine,", ["schedule=cosine,: "]),
        ("optimiser=adam", ["optimiser"]),
    ],
)
def test_mistakes_are_named_and_nothing_is_drawn(line, told, capsys, folder):
    assert main(line.split()) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "nothing was drawn" in said.err
    assert all(text in said.err for text in told), said.err
    assert list(folder.iterdir()) == []


def test_a_setting_of_no_schedule_is_refused_for_each():
    with pytest.raises(BadConfig, match="schedule.foo"):
        curves_of(["schedule=cosine,step", "schedule.foo=1"])


def test_the_figure_is_written_to_the_given_path(capsys, folder):
    assert main(["schedule=cosine", "steps=9", "out=rates.svg"]) == 0
    assert "Drawn in rates.svg" in capsys.readouterr().out
    assert main(["-m", "steps=9"]) == 0
    assert main(["steps=9", "out=null"]) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["rates.svg", "schedules.png"]
    assert main(["steps=9", "out=new/rates.png"]) == 0
    assert (folder / "new" / "rates.png").exists()
    assert main(["steps=9", "out=rates.svg/rates.png"]) == 2  # which is a file
    assert main(["steps=9", "out=rates.doc"]) == 2
    assert main(["steps=9", "out=new"]) == 2  # which is a folder
    assert capsys.readouterr().err.count("expected a file ending in .png") == 3


def test_the_command_waits_for_no_torch():
    code = "import sys, runpy; sys.argv = ['x', 'schedule=cosine', 'out=null']\n"
    code += "try: runpy.run_module('gansweep.schedules', run_name='__main__')\n"
    code += "except SystemExit as end: print(end.code, {'torch', 'matplotlib'} & set(sys.modules))"
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert done.stdout.splitlines()[-1] == "0 set()"


def test_the_lines_of_the_documentation_are_valid():
    lines = re.findall(r"^python -m gansweep\.schedules (.*?)(?:\s+#.*)?$", PAGE.read_text(), re.M)
    assert lines
    for line in lines:
        assert curves_of([word for word in shlex.split(line) if not word.startswith(("out=", "-"))])
