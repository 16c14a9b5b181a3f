"""scale= and protocol=. Mistakes: a preset of another experiment, or one that outranks what is typed."""

from __future__ import annotations

import pytest

from gansweep.cli.presets import spelled_out
from gansweep.config.errors import BadConfig

TINY = ["optimizer=sgd", "lr=1e-4", "device=cpu", "workers=1", "pack=1", "trainer.tensorboard=false"]
NARROW = ["model.generator_widths=[8]", "model.discriminator_widths=[8]", "batch_size=8"]


def test_a_preset_is_spelled_out_for_its_experiment():
    line = ["scale=small,full", "experiment=epfl_table1", "lr=1e-4", "protocol=epfl_table1/paper"]
    assert spelled_out(line) == [
        "scale=epfl_table1/small,epfl_table1/full",
        "experiment=epfl_table1",
        "lr=1e-4",
        "protocol=epfl_table1/paper",
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["experiment=epfl_table1", "scale=smal"], "scale=smal: did you mean small? Choose one of full, small, smoke"),
        (["experiment=epfl_table1", "scale=small,tiny"], "scale=tiny: Choose one of full, small, smoke"),
        (["experiment=mescheder_2d", "protocol=paper"], "protocol=paper: experiment=mescheder_2d has no protocols"),
        (["scale=small"], "scale=small: requires an experiment"),
        (["experiment=epfl_table1,mescheder_2d", "scale=small"], "scale=small: requires one experiment"),
        (["experiment=dirac/gan", "scale=small"], "scale=small: experiment=dirac/gan has no scales"),
    ],
)
def test_a_preset_that_is_not_there_is_refused(line, said):
    with pytest.raises(BadConfig) as refused:
        spelled_out(line)
    assert said in str(refused.value)


@pytest.mark.parametrize("experiment", ["coopnets_table1/exp_7", "coopnets_table1/exp_7,coopnets_table1/exp_8"])
def test_an_experiment_inside_a_folder_has_the_folders_presets(experiment):
    assert spelled_out([f"experiment={experiment}", "scale=smoke"])[1] == "scale=coopnets_table1/smoke"


def test_a_preset_of_ones_own(tmp_path):
    own = tmp_path / "scale" / "epfl_table1"
    own.mkdir(parents=True)
    (own / "hours.yaml").write_text("# @package _global_\nepochs: 3\n")
    assert spelled_out(["experiment=epfl_table1", "scale=hours"], str(tmp_path))[1] == "scale=epfl_table1/hours"


def test_a_wrong_preset_ends_with_exit_code_2(gansweep):
    answer = gansweep("-m", "experiment=epfl_table1", "scale=smal", "lr=nonsense")
    assert answer.code == 2
    assert "did you mean small" in answer.err


def test_the_pack_runs_on_the_command_line(gansweep):
    """Two protocols side by side: the scale picks other data, and what is typed outranks it."""
    line = ["experiment=epfl_table1", "scale=smoke", "protocol=original_code,wgan_gp", "steps=2", "seed=3"]
    answer = gansweep("-m", *line, *TINY, *NARROW)
    assert answer.code == 0, answer.err
    records = list(gansweep.records("epfl_table1_smoke").values())
    chosen = {record["cell"]["overrides"]["protocol"]: record["config"] for record in records}
    assert set(chosen) == {"epfl_table1/original_code", "epfl_table1/wgan_gp"}
    for config in chosen.values():
        assert (config["steps"], config["seed"], config["data"]["_target_"].rpartition(".")[2]) == (2, 3, "Digits")
    assert "epfl_table1/original_code" in answer.out
    assert "loss=" in answer.out
