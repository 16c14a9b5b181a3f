"""experiment=. Mistakes: one of two that is dropped, a file whose keys go astray, and a cause that is not true."""

from __future__ import annotations

import pytest

from gansweep.cli.experiments import check_experiments
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
def test_what_can_not_be_one_experiment_is_refused(line, said):
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
        ["experiment=not_there"],  # which Hydra tells, with those that are
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


def test_experiments_of_ones_own_are_among_the_choices(gansweep, own):
    folder = own("radford", f"{HEADER}steps: 3\n")
    answer = gansweep("--config-dir", folder, "experiment=radfrod")
    assert answer.code == 2
    assert "experiment=radfrod: did you mean radford?" in answer.err


def test_what_is_wrong_inside_an_experiment_is_told(gansweep, own):
    """It used to be called an unknown choice, whatever it was."""
    folder = own("radford", f"{HEADER}defaults:\n  - override /loss: hinged\n")
    answer = gansweep("--config-dir", folder, "experiment=radford")
    assert answer.code == 2
    assert "hinged" in answer.err
    assert "experiment=radford: Choose" not in answer.err
