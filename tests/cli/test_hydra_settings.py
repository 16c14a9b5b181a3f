"""Settings of Hydra are checked; the installed version of Hydra has no warning about gansweep."""

from __future__ import annotations

import copy
import warnings
from pathlib import Path

import pytest
from hydra.types import RunMode
from omegaconf import OmegaConf

import gansweep as package
from gansweep.cli.hydra_app import composer_and_loader
from gansweep.cli.hydra_settings import wrong_settings

WRONG = {
    "hydra.verbose": ([1], 7, {"a": 1}),
    "hydra.hydra_logging.version": (2, None),
    "hydra.hydra_logging.root.level": ("LOUD", 1.5),
    "hydra.hydra_logging.root.handlers": (["nope"], "console"),
    "hydra.hydra_logging.handlers.console.formatter": ("nope",),
    "hydra.job_logging.root.level": ("LOUD",),
    "hydra.job_logging.loggers.x.level": ("LOUD",),
}


@pytest.fixture(scope="module")
def composed_once():
    with composer_and_loader(None) as (_, loader):
        return loader.load_configuration("config", ["name=s"], RunMode.MULTIRUN, validate_sweep_overrides=False)


@pytest.mark.parametrize("key", WRONG)
def test_a_setting_of_hydra_is_refused_by_name(composed_once, key):
    for value in WRONG[key]:
        config = copy.deepcopy(composed_once)
        OmegaConf.update(config, key, value, merge=False, force_add=True)
        assert [problem.name for problem in wrong_settings(config)] == [key]


@pytest.mark.parametrize("value", [True, "gansweep", ["gansweep", "hydra"]])
def test_right_settings_are_accepted(composed_once, value):
    assert not list(wrong_settings(composed_once))
    config = copy.deepcopy(composed_once)
    OmegaConf.update(config, "hydra.verbose", value, merge=False)
    assert not list(wrong_settings(config))


LINES = {
    "hydra.job.env_copy=[NOPE]": "hydra.job.env_copy: NOPE is not set in the environment",
    "+hydra.hydra_logging.handlers.console.foo=1": "hydra.hydra_logging: Unable to configure handler 'console'",
    "hydra.sweep.dir=''": "hydra.sweep.dir=: expected a directory",
    "hydra.sweeper.max_batch_size=abc": "hydra.sweeper.max_batch_size=abc: expected a whole number, 1 or above",
    "optimizer.betas.first=1": "optimizer.betas: is a list; expected it as a whole, optimizer.betas=[...]",
    "optimizer.betas={a: 1}": "optimizer.betas={a:1}: expected a list, not a mapping",
    "loss.penalties=[1]": "loss.penalties=[1]: expected a mapping, not a list",
    "loss={penalties: [1]}": "loss.penalties: expected a mapping, not a list",
}


@pytest.mark.parametrize("line", LINES)
def test_a_line_is_refused_in_one_block(gansweep, line):
    answer = gansweep.tiny(line)
    assert answer.code == 2
    assert not answer.out
    assert LINES[line] in answer.err
    assert answer.err.startswith("The configuration is not valid")
    assert not list(gansweep.folder.iterdir())


def test_a_folder_in_the_place_of_multirun_yaml_is_put_aside(gansweep):
    (gansweep.folder / "outputs/s/multirun.yaml").mkdir(parents=True)
    answer = gansweep.tiny("name=s")
    assert answer.code == 0
    assert (
        "multirun.yaml is a file or a folder where the other one is expected; renamed to multirun.yaml.unreadable"
        in answer.out + answer.err
    )
    assert (gansweep.folder / "outputs/s/multirun.yaml").is_file()


SOURCE = str(Path(package.__file__).parent)


def test_nothing_of_ours_is_warned_of(gansweep):
    """A warning of Hydra 1.4 about a class without an execution whitelist is an error in Hydra 1.5."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert gansweep.tiny("-m", "lr=1e-4,1e-3", "plan=true").code == 0
    ours = [one for one in caught if one.filename.startswith(SOURCE) or "gansweep" in str(one.message)]
    assert not ours, [str(one.message) for one in ours]
