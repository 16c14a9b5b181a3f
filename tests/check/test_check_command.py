"""python -m gansweep.check"""

from __future__ import annotations

import subprocess
import sys

import pytest

from gansweep.check import bench, everything
from gansweep.check.bench import Subject
from gansweep.check.finding import Check, Finding, table
from gansweep.cli.check import main, subjects_of
from gansweep.config.errors import BadConfig
from gansweep.optimizers.adam import Adam
from gansweep.schedules.cosine import Cosine
from gansweep.schedules.step import Step


@pytest.fixture
def my_conf(tmp_path):
    (tmp_path / "optimizer").mkdir()
    for name, cls in (("signs", "SignSGD"), ("clipped", "ClippedSGD")):
        (tmp_path / "optimizer" / f"{name}.yaml").write_text(f"_target_: tests.check.my_signs.{cls}\n")
    return str(tmp_path)


def test_ones_own_optimizer_passes_or_fails(my_conf, capsys):
    line = ["--config-dir", my_conf, "allow=[tests]", "loss=standard"]
    assert main([*line, "optimizer=signs"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("allow=[tests] loss=standard optimizer=signs\n")
    assert "FAIL" not in told
    assert main([*line, "optimizer=clipped"]) == 1
    told = capsys.readouterr().out.splitlines()
    (n,) = [n for n, text in enumerate(told) if text.startswith("FAIL") and "NaN member" in text]
    assert "-> reduce over all axes except axis 0" in told[n + 1]
    assert told[-1].endswith("checks passed")


def test_subjects_are_what_a_run_would_be_made_of():
    (one,) = subjects_of(
        ["optimizer=adam", "lr_d=4e-4", "schedule=cosine", "schedule@schedule_d=step", "steps=9"]
    ).values()
    assert isinstance(one, Subject)
    g, d = one.member.generator, one.member.discriminator
    assert (g.rule, g.lr, g.schedule) == (Adam(), 1e-4, Cosine())
    assert (d.lr, d.schedule, one.member.steps) == (4e-4, Step(num_drops=2), 9)


def test_a_line_of_several_is_checked_one_by_one():
    assert list(subjects_of(["optimizer=adam,sgd"])) == ["optimizer=adam", "optimizer=sgd"]
    assert subjects_of(["loss=wgan,hinge"])["loss=wgan"].critic_steps == 5


def test_data_that_are_not_there_do_not_matter():
    (one,) = subjects_of(["data=celeba", "data.root=/nowhere", "model=dcgan", "metric=inception"]).values()
    assert one.member.steps == 1000


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("optimizer=adaam", "optimizer=adaam: did you mean adam?"),
        ("optimizer=adam optimizer.betas=[2,0]", "optimizer.betas=[2.0, 0.0]: expected two numbers"),
        ("lr=-1", "lr=-1.0: expected a finite rate"),
        ("--config-dir nowhere optimizer=adam", "--config-dir=nowhere: is not a directory"),
        ("dynamics=extragradient critic_steps=5", "critic_steps=5"),
        ("schedule=step schedule.period=2000 schedule.num_drops=null epochs=3", "epochs=3: the number of steps"),
    ],
)
def test_a_wrong_line_is_told_and_nothing_is_checked(line, told, capsys):
    assert main(line.split()) == 2
    captured = capsys.readouterr()
    assert told in captured.err
    assert captured.out == ""


def test_all_that_is_wrong_is_told_at_once():
    with pytest.raises(BadConfig) as told:
        subjects_of(["optimizer=adaam", "lr=-1"])
    assert len(told.value.problems) == 2


def test_help_needs_no_torch():
    code = (
        "import sys\n"
        "from gansweep.cli.check import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit as end:\n    code = end.code\n"
        "assert code == 0 and 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "python -m gansweep.check" in done.stdout


def test_what_a_class_raises_is_a_finding():
    found = Check("loss", "works", "mend it", lambda: (1 / 0, ""))()
    assert found.failed
    assert found.numbers == "raised ZeroDivisionError: division by zero"


def test_a_wrong_answer_of_numpy_is_a_wrong_answer():
    import numpy as np

    assert Check("schedule", "is right", "", lambda: (np.False_, ""))().failed


def test_what_is_only_told_is_neither_passed_nor_failed():
    found = [Finding("dirac", "seen", None, "r = 1", "do it"), Finding("dirac", "broken", False, "2", "mend it")]
    lines = table(found).splitlines()
    assert lines[1].split()[0] == "-"
    assert "do it" not in table(found)
    assert lines[3].endswith("-> mend it")


def test_checks_leave_torch_as_it_was():
    import torch

    (one,) = subjects_of(["steps=5"]).values()
    with bench.double():
        assert torch.get_default_dtype() == torch.float64
    families = [family.__name__.rpartition(".")[2] for family in everything.FAMILIES]
    assert families[0] == "optimizer"
    assert len(families) == len(set(families))
    assert torch.get_default_dtype() == torch.float32
    assert one == one.fresh()
