"""python -m gansweep.check: exit codes, problems of the command line, and the table."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gansweep.check import bench
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


def test_a_users_optimizer_passes_or_fails(my_conf, capsys):
    line = ["--config-dir", my_conf, "allow=[tests]", "loss=standard"]
    assert main([*line, "optimizer=signs"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("allow=[tests] loss=standard optimizer=signs\n")
    assert "FAIL" not in printed
    assert main([*line, "optimizer=clipped"]) == 1
    lines = capsys.readouterr().out.splitlines()
    (n,) = [n for n, text in enumerate(lines) if text.startswith("FAIL") and "NaN member" in text]
    assert "-> reduce over all axes except axis 0" in lines[n + 1]
    assert lines[-1].endswith("checks passed")


def test_a_users_model_is_checked(capsys):
    nets = "tests.models.plain_nets"
    line = ["model=modules", f"model.generator={nets}.Points", "+model.generator.inputs=3", "data=ring", "loss=r1"]
    line[1:3] = [f"model.generator._target_={nets}.Points", "+model.generator.inputs=3", "+model.generator.outputs=2"]
    assert main([*line, f"model.discriminator={nets}.Points", f"allow=[{nets}]"]) == 0
    assert capsys.readouterr().out.count("pass  model ") == 9
    assert main([*line, f"model.discriminator={nets}.CountsItsCalls", f"allow=[{nets}]"]) == 2
    assert "maps (4, 2) to (4, 2)" in capsys.readouterr().err


def test_subjects_have_the_settings_of_the_run():
    (tested,) = subjects_of(
        ["optimizer=adam", "lr_d=4e-4", "schedule=cosine", "schedule@schedule_d=step", "steps=9"]
    ).values()
    assert isinstance(tested, Subject)
    g, d = tested.member.generator, tested.member.discriminator
    assert (g.rule, g.lr, g.schedule) == (Adam(), 1e-4, Cosine())
    assert (d.lr, d.schedule, tested.member.steps) == (4e-4, Step(num_drops=2), 9)


def test_a_line_with_several_values_has_several_subjects():
    assert list(subjects_of(["optimizer=adam,sgd"])) == ["optimizer=adam", "optimizer=sgd"]
    assert subjects_of(["loss=wgan,hinge"])["loss=wgan"].critic_steps == 5


def test_data_do_not_need_to_exist():
    (tested,) = subjects_of(["data=celeba", "data.root=/nowhere", "model=dcgan", "metric=inception"]).values()
    assert tested.member.steps == 1000


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("optimizer=adaam", "optimizer=adaam: did you mean adam?"),
        ("optimizer=adam optimizer.betas=[2,0]", "optimizer.betas=[2.0, 0.0]: expected two numbers"),
        ("lr=-1", "lr=-1.0: expected a finite rate"),
        ("--config-dir nowhere optimizer=adam", "--config-dir=nowhere: is not a directory"),
        ("dynamics=extragradient critic_steps=5", "critic_steps=5"),
        ("schedule=step schedule.period=2000 schedule.num_drops=null epochs=3", "epochs=3: the number of steps"),
    ],
)
def test_a_wrong_line_is_reported_and_nothing_is_checked(line, message, capsys):
    assert main(line.split()) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""


def test_all_problems_are_reported_together():
    with pytest.raises(BadConfig) as error:
        subjects_of(["optimizer=adaam", "lr=-1"])
    assert len(error.value.problems) == 2


def test_help_needs_no_torch():
    code = (
        "import sys\n"
        "from gansweep.cli.check import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit as end:\n    code = end.code\n"
        "assert code == 0 and 'torch' not in sys.modules\n"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    assert "python -m gansweep.check" in finished.stdout


def test_an_exception_of_a_class_is_a_failed_check():
    finding = Check("loss", "works", "correct it", lambda: (1 / 0, ""))()
    assert finding.failed
    assert finding.numbers == "raised ZeroDivisionError: division by zero"


def test_false_of_numpy_is_a_failed_check():
    import numpy as np

    assert Check("schedule", "is right", "", lambda: (np.False_, ""))().failed


def test_a_check_without_a_verdict_has_no_advice():
    reported = Finding("dirac", "reported", None, "r = 1", "do it")
    failed = Finding("dirac", "failed", False, "2", "correct it")
    lines = table([reported, failed]).splitlines()
    assert lines[1].split()[0] == "-"
    assert "do it" not in table([reported, failed])
    assert lines[3].endswith("-> correct it")


def test_checks_restore_the_default_dtype():
    import torch

    (tested,) = subjects_of(["steps=5"]).values()
    with bench.double():
        assert torch.get_default_dtype() == torch.float64
    assert torch.get_default_dtype() == torch.float32
    assert tested == tested.fresh()
