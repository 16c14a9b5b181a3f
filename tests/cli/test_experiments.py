"""Experiments and their presets on the command line, and the files that they include."""

from __future__ import annotations

import pytest

from gansweep.cli.experiments import check_experiments, check_includes, spelled_out
from gansweep.cli.hydra_app import composed
from gansweep.config.errors import BadConfig

HEADER = "# @package _global_\n"


@pytest.fixture
def own(tmp_path):
    (tmp_path / "experiment").mkdir()

    def write(name, text):
        (tmp_path / "experiment" / f"{name}.yaml").write_text(text)
        return str(tmp_path)

    return write


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["experiment=smoke", "experiment=mescheder_2d"], "experiment=mescheder_2d: given twice; expected one, or -m"),
    ],
)
def test_two_experiments_are_refused(line, said):
    with pytest.raises(BadConfig) as refused:
        check_experiments(line)
    assert str(refused.value).startswith(said)


@pytest.mark.parametrize(
    "line",
    [
        ["experiment=smoke"],
        ["experiment=smoke", "experiment=smoke"],
        ["experiment=smoke,mescheder_2d", "lr=1"],
        ["experiment=coopnets_table1/exp_7"],
        ["experiment=not_there"],  # Hydra's message, which lists the existing ones
        ["lr=1"],
    ],
)
def test_other_lines_are_left_to_hydra(line):
    check_experiments(line)


def test_a_file_whose_header_is_not_its_first_line_is_named(own):
    folder = own("mine", f"# Radford 2016\n{HEADER}steps: 3\n")
    with pytest.raises(BadConfig, match="experiment=mine: .*mine.yaml must begin with the line # @package _global_"):
        check_experiments(["experiment=smoke,mine"], folder)


@pytest.mark.parametrize("text", [f"{HEADER}steps: 3\n", f"\n  \n{HEADER}", "#@package _global_\n"])
def test_a_header_that_hydra_sees_will_do(own, text):
    check_experiments(["experiment=mine"], own("mine", text))


def test_experiments_of_the_user_are_suggested(gansweep, own):
    folder = own("radford", f"{HEADER}steps: 3\n")
    answer = gansweep("--config-dir", folder, "experiment=radfrod")
    assert answer.code == 2
    assert "experiment=radfrod: did you mean radford?" in answer.err


def test_errors_inside_an_experiment_are_reported(gansweep, own):
    """Mistake: every such error is reported as an unknown choice."""
    folder = own("radford", f"{HEADER}defaults:\n  - override /loss: hinged\n")
    answer = gansweep("--config-dir", folder, "experiment=radford")
    assert answer.code == 2
    assert "hinged" in answer.err
    assert "experiment=radford: Choose" not in answer.err


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


def test_a_preset_in_the_directory_of_the_user(tmp_path):
    own = tmp_path / "scale" / "epfl_table1"
    own.mkdir(parents=True)
    (own / "hours.yaml").write_text("# @package _global_\nepochs: 3\n")
    assert spelled_out(["experiment=epfl_table1", "scale=hours"], str(tmp_path))[1] == "scale=epfl_table1/hours"


def test_a_wrong_preset_ends_with_exit_code_2(gansweep):
    answer = gansweep("-m", "experiment=epfl_table1", "scale=smal", "lr=nonsense")
    assert answer.code == 2
    assert "did you mean small" in answer.err


def test_the_pack_runs_on_the_command_line(gansweep):
    """Two protocols side by side: the scale chooses other data, and settings of the command line take precedence."""
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


FILES = {
    "experiment/itself": "defaults: [itself]",
    "experiment/a": "defaults: [b]",
    "experiment/b": "defaults: [_self_, /experiment/a]",
    "experiment/by_choice": "defaults:\n  - override /optimizer: one",
    "experiment/launch": "defaults:\n  - override /hydra/launcher: joblib",
    "experiment/sweep": "defaults:\n  - override /hydra/sweeper: optuna",
    "experiment/nested": "defaults: [launch]",
    "experiment/chosen": "defaults:\n  - override /experiment: smoke",
    "experiment/fine": "defaults:\n  - smoke\n  - override /optimizer: lookahead\n",
    "optimizer/one": "defaults: [two]",
    "optimizer/two": "defaults:\n  - /optimizer@of: one",
    "experiment/unreadable": "defaults: [",
}


@pytest.fixture
def folder(tmp_path):
    for name, text in FILES.items():
        file = tmp_path / f"{name}.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"# @package _global_\n{text}\n" if name.startswith("experiment") else f"{text}\n")
    return str(tmp_path)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (["experiment=itself"], "experiment=itself: includes itself: experiment/itself -> experiment/itself"),
        (["experiment=smoke,a"], "experiment=a: includes itself: experiment/a -> experiment/b -> experiment/a"),
        (["optimizer@optimizer_d=one"], "optimizer=one: includes itself: optimizer/one -> optimizer/two -> optimizer/"),
        (["experiment=by_choice"], "experiment=by_choice: includes itself: optimizer/one -> optimizer/two -> "),
        (["experiment=launch"], "experiment=launch: override /hydra/launcher: joblib in "),
        (["experiment=sweep,smoke"], "experiment=sweep: override /hydra/sweeper: optuna in "),
        (["experiment=nested"], "experiment=nested: override /hydra/launcher: joblib in "),
        (["experiment=chosen"], "experiment=chosen: override /experiment: smoke in "),
    ],
)
def test_a_file_that_includes_itself_or_has_no_effect_is_refused(folder, line, expected):
    with pytest.raises(BadConfig) as refused:
        check_includes(line, folder)
    assert str(refused.value).startswith(expected)


@pytest.mark.parametrize(
    "line",
    [
        ["experiment=fine", "lr=1"],
        ["experiment=launch", "hydra/launcher=joblib"],
        ["experiment=unreadable"],
        ["experiment=not_there"],
        ["optimizer=lookahead", "optimizer@optimizer.of=adam"],
    ],
)
def test_other_files_are_left_to_hydra(folder, line):
    check_includes(line, folder)


def test_the_commands_that_train_nothing_refuse_them_too(folder):
    with pytest.raises(BadConfig, match="includes itself"):
        composed(["experiment=a"], folder)


def test_the_command_line_refuses_them_in_one_block(gansweep, folder):
    answer = gansweep("--config-dir", folder, "experiment=itself")
    assert answer.code == 2
    assert "experiment=itself: includes itself" in answer.err
    assert not answer.out
