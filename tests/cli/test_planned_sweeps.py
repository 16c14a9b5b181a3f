"""Experiments that plan a sweep, or are made of other experiments."""

from __future__ import annotations

import pytest

PLAN = """# @package _global_
name: planned
hydra:
  sweeper:
    params:
      lr: 1e-4,1e-3
      optimizer: adam,sgd
"""


@pytest.fixture
def planned(gansweep):
    folder = gansweep.folder / "own" / "experiment"
    folder.mkdir(parents=True)
    (folder / "planned.yaml").write_text(PLAN)
    return lambda *more: gansweep.tiny("--config-dir", str(folder.parent), "-m", "experiment=planned", *more)


def cells(gansweep, sweep):
    return sorted(name.rpartition("-")[0] for name in gansweep.records(sweep))


def test_an_experiment_plans_a_sweep(gansweep, planned):
    assert planned().code == 0
    expected = [f"lr={lr},optimizer={rule}" for lr in ("0.0001", "0.001") for rule in ("adam", "sgd")]
    assert cells(gansweep, "planned") == expected


def test_command_line_overrides_take_precedence_over_the_plan(gansweep, planned):
    assert planned("lr=0.5", "seed=3,4").code == 0
    assert cells(gansweep, "planned") == [f"optimizer={rule},seed={n}" for rule in ("adam", "sgd") for n in (3, 4)]


def test_the_dirac_gans_of_the_table(gansweep):
    """Short runs of all nine methods; those with a damped equilibrium approach it, WGAN does not."""
    answer = gansweep("-m", "experiment=dirac_convergence", "steps=60", "device=cpu", "trainer.tensorboard=false")
    assert answer.code == 0, answer.err
    left = {
        record["cell"]["overrides"]["experiment"].partition("/")[2]: record["metric"]["final"]
        for record in gansweep.records("dirac_convergence").values()
    }
    assert set(left) == {"gan", "wgan", "wgan_gp", "dragan", "instance_noise", "consensus", "roth", "r1", "r2"}
    assert all(left[name] < 0.5 for name in ("instance_noise", "consensus", "roth", "r1", "r2"))
    assert left["r1"] == pytest.approx(left["r2"], rel=1e-5), "the slope is psi everywhere"
    assert left["wgan"] > 0.5
    assert left["wgan_gp"] > 0.5


def test_a_choice_in_a_folder_that_is_not_there(gansweep):
    answer = gansweep("-m", "experiment=dirac/none", "device=cpu")
    assert answer.code == 2
    assert "experiment=dirac/none" in answer.err + answer.out


OTHER = """# @package _global_
steps: 2
hydra:
  sweeper:
    params:
      seed: 7,8
"""


def test_each_of_several_experiments_has_its_own_plan(gansweep, planned):
    (gansweep.folder / "own" / "experiment" / "other.yaml").write_text(OTHER)
    folder = str(gansweep.folder / "own")
    answer = gansweep.tiny("--config-dir", folder, "-m", "experiment=planned,other,smoke", "lr=0.5", "name=both")
    assert answer.code == 0, answer.err
    found = [record["cell"]["overrides"] for record in gansweep.records("both").values()]
    told = sorted((one["experiment"], one["optimizer"], str(one.get("seed"))) for one in found)
    assert told == [
        *(("other", "adam", "7"), ("other", "adam", "8")),
        *(("planned", "adam", "None"), ("planned", "sgd", "None")),
        ("smoke", "adam", "None"),
    ]


def test_a_config_dir_that_is_not_there_is_no_warning_but_an_error(gansweep):
    answer = gansweep.tiny("--config-dir", "nowhere", "lr=1e-3")
    assert answer.code == 2
    assert "--config-dir=nowhere: is not a directory" in answer.err
    assert not (gansweep.folder / "outputs").exists()


def test_settings_without_effect_are_logged_once_for_all_cells(gansweep):
    answer = gansweep.tiny("-m", "optimizer=prodigy", "seed=0,1", "lr=1e-3", "plan=true")
    assert answer.code == 0
    assert (answer.out + answer.err).count("Without effect: optimizer=Prodigy: lr=0.001") == 1


def test_a_plan_says_which_cells_are_compiled(gansweep):
    lengths = ["critic_steps=4", "steps=2,100000", "seed=0,1", "trainer.compile=auto"]
    answer = gansweep.tiny("-m", *lengths, "name=auto", "plan=true")
    assert answer.code == 0
    said = "trainer.compile=auto: true for 2 cells, false for 2 cells (true from 50,000 updates of both players on"
    assert (answer.out + answer.err).count(said) == 1
