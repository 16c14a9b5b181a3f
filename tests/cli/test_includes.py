"""YAML files of one's own that include themselves, or override what only the command line can choose."""

from __future__ import annotations

import pytest

from gansweep.cli.compose_line import composed
from gansweep.cli.includes import check_includes
from gansweep.config.errors import BadConfig

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
def test_a_file_that_hydra_would_stumble_over_or_ignore_is_refused(folder, line, expected):
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
