"""A YAML file from elsewhere, and a value below `hydra`, can't make Hydra run foreign code."""

from __future__ import annotations

import copy
import json
import os
import pickle
from collections import Counter

import pytest
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import OmegaConf, open_dict

from gansweep.cli.checked_loader import foreign_code
from gansweep.cli.hydra_app import composed, composer_and_loader
from gansweep.config.errors import BadConfig

LOG_FILE = {"class": "logging.FileHandler", "filename": "${hydra.runtime.output_dir}/${hydra.job.name}.log"}


class Executed:
    def __reduce__(self):
        return os.mkdir, ("executed",)


@pytest.fixture(scope="module")
def composed_once():
    with composer_and_loader(None) as (_, loader):
        return loader.load_configuration("config", ["name=s"], run_mode=None, validate_sweep_overrides=False)


@pytest.fixture
def config(composed_once):
    return copy.deepcopy(composed_once)


def said(config, typed=()):
    return [str(problem) for problem in foreign_code(config, typed)]


FOREIGN = {
    "callbacks.x": {"_target_": "numpy.load", "file": "e.pkl", "allow_pickle": True},
    "callbacks.function": {"_target_": "hydra.utils.instantiate"},
    "callbacks.nested": {
        "_target_": "hydra.experimental.callbacks.LogJobReturnCallback",
        "y": {"_target_": "os.mkdir", "path": "y"},
    },
    "callbacks.listed": {
        "_target_": "hydra.experimental.callbacks.LogJobReturnCallback",
        "y": [{"_target_": "os.mkdir"}],
    },
    "callbacks.ours_but_no_callback": {"_target_": "gansweep.sweep.sweep.Sweep"},
    "launcher._target_": "os.system",
    "launcher.ray": {"init": {"_target_": "os.mkdir"}},
    "launcher.submitit.slurm_setup": ["touch executed"],
    "launcher.ray.init.runtime_env": {"worker_process_setup_hook": "evil.run"},
    "sweeper._target_": "os.system",
    "sweeper.sampler": {"_target_": "os.mkdir"},
    "sweeper.custom_search_space": "evil.run",
    "sweeper.storage": "sqlite:///evil.db",
    "sweeper.params": {"allow": "[subprocess]"},
    "job_logging.handlers.x": {"class": "subprocess.Popen", "args": ["true"]},
    "hydra_logging.handlers.x": {"()": "os.mkdir"},
    "hydra_logging.formatters.x": {"()": "os.mkdir"},
    "hydra_logging.filters.x": {"()": "os.mkdir"},
    "hydra_logging.handlers.y": {"class": "logging.StreamHandler", "stream": "ext://evil.stream"},
    "hydra_logging.handlers.z": {"class": "logging.FileHandler", "filename": "/home/me/.bashrc"},
    "job_logging.handlers.q": {"class": "logging.handlers.QueueHandler", "queue": "evil.queue"},
    "job.env_set": {"LD_PRELOAD": "evil.so"},
}


@pytest.mark.parametrize("place", FOREIGN)
def test_code_that_is_not_hydras_is_refused(config, place):
    OmegaConf.update(config, f"hydra.{place}", FOREIGN[place], force_add=True)
    problems = said(config)
    assert problems
    assert all(problem.startswith(f"hydra.{place.partition('.')[0]}") for problem in problems)


@pytest.mark.parametrize(
    "value",
    ["${evil}", "${oc.select:evil}", "${oc.select:evil${hydra.job.num},''}"],
)
@pytest.mark.parametrize("place", ["callbacks.x", "job_logging.handlers.x", "job_logging.handlers.console.stream"])
def test_an_interpolation_hides_nothing(config, place, value):
    with open_dict(config):
        config.evil = {"_target_": "os.mkdir", "class": "os.mkdir", "path": "executed"}
    OmegaConf.update(config, f"hydra.{place}", value, force_add=True)
    assert said(config)


def test_classes_of_hydra_and_its_plugins_are_accepted(config):
    assert said(config) == []
    for place, value in {
        "callbacks.log": {"_target_": "hydra.experimental.callbacks.LogJobReturnCallback"},
        "launcher._target_": "hydra._internal.core_plugins.basic_launcher.BasicLauncher",
        "sweeper._target_": "hydra._internal.core_plugins.basic_sweeper.BasicSweeper",
        "sweeper.sampler": {"_target_": "optuna.samplers.TPESampler", "seed": 1},
        "job_logging.handlers.file": LOG_FILE,
        "hydra_logging.formatters.color": {"()": "colorlog.ColoredFormatter"},
        "launcher.submitit.slurm_setup": None,
    }.items():
        OmegaConf.update(config, f"hydra.{place}", value, force_add=True)
    assert said(config) == []


def test_commands_for_a_cluster_are_accepted_where_they_are_typed(config):
    OmegaConf.update(config, "hydra.launcher.submitit.slurm_setup", ["module load cuda"], force_add=True)
    assert said(config, ["hydra.launcher.submitit.slurm_setup"]) == said(config, ["hydra.launcher.submitit"]) == []
    assert len(said(config, ["hydra.launcher.submitit.slurm"])) == 1


@pytest.fixture
def evil(gansweep):
    """A directory of YAML files from elsewhere."""
    folder = gansweep.folder / "conf/experiment"
    folder.mkdir(parents=True)
    (gansweep.folder / "e.pkl").write_bytes(pickle.dumps(Executed()))

    def write(content):
        (folder / "evil.yaml").write_text(f"# @package _global_\n{json.dumps(content)}\n")
        return ["--config-dir", "conf", "experiment=evil", "plan=true"]

    return write


def untouched(gansweep, answer, *words):
    assert answer.code == 2, answer.err
    assert answer.out == ""
    assert answer.err.startswith("The configuration is not valid")
    assert all(word in answer.err for word in words)
    assert not (gansweep.folder / "executed").exists()
    assert not (gansweep.folder / "outputs").exists()


def test_a_callback_of_an_experiment_is_refused_before_it_is_instantiated(gansweep, evil):
    """Mistake: `numpy.load` with `allow_pickle` runs a pickle, and plan=true does too."""
    callback = {"_target_": "numpy.load", "file": "e.pkl", "allow_pickle": True}
    answer = gansweep(*evil({"hydra": {"callbacks": {"x": callback}}}))
    untouched(gansweep, answer, "hydra.callbacks.x._target_=numpy.load")


def test_logging_of_an_experiment_is_checked_before_it_is_configured(gansweep, evil):
    handler = {"()": "os.mkdir", "path": "executed"}
    line = evil({"hydra": {"hydra_logging": {"handlers": {"x": handler}}}})
    untouched(gansweep, gansweep(*line), "hydra.hydra_logging.handlers.x.()=os.mkdir")
    untouched(gansweep, gansweep(*line, "--cfg", "hydra"), "os.mkdir")


def test_an_experiment_can_not_extend_allow(gansweep, evil):
    """Mistake: `allow: [subprocess]` in a YAML file, and the class to be made beside it."""
    optimizer = {"_target_": "subprocess.Popen", "args": ["mkdir", "executed"]}
    line = evil({"allow": ["subprocess"], "optimizer": optimizer})
    untouched(gansweep, gansweep(*line), "allow=['subprocess']: expected on the command line")
    line = evil({"hydra": {"sweeper": {"params": {"allow": "[subprocess]"}}}, "optimizer": optimizer})
    untouched(gansweep, gansweep("-m", *line), "hydra.sweeper.params.allow")


def test_an_experiment_can_not_add_to_the_record_of_the_command_line(gansweep, evil):
    line = evil({"hydra": {"overrides": {"hydra": ["hydra.job.env_set.LD_PRELOAD=evil.so"]}}})
    untouched(gansweep, gansweep(*line), "hydra.overrides")


def test_one_of_several_swept_experiments_is_checked_too(gansweep, evil):
    line = evil({"hydra": {"job_logging": {"handlers": {"x": {"()": "os.mkdir", "path": "executed"}}}}})
    line = [*line[:2], "experiment=evil,dirac/r1", "plan=true"]
    untouched(gansweep, gansweep("-m", *line), "hydra.job_logging.handlers.x.()=os.mkdir")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--experimental-rerun", "e.pkl"], "--experimental-rerun"),
        (["--experimental-rerun=e.pkl"], "--experimental-rerun"),
        (["--exp", "e.pkl"], "--experimental-rerun"),
        (["-cn", "evil"], "--config-name"),
        (["--config-path=pkg://evil"], "--config-path"),
        (["hydra.searchpath=[pkg://evil]"], "hydra.searchpath"),
        (["hydra.launcher._target_=os.system"], "hydra.launcher._target_=os.system"),
        (["hydra.launcher._target_=hydra.plugins.launcher.Launcher"], "hydra.launcher._target_"),
        (["hydra.launcher=null"], "hydra.launcher=null"),
        (["hydra.sweeper=null"], "hydra.sweeper=null"),
        (["+hydra.callbacks.x={_target_:os.mkdir,path:executed}"], "hydra.callbacks.x._target_=os.mkdir"),
    ],
)
def test_flags_and_overrides_that_would_run_code_are_refused(gansweep, arguments, word):
    (gansweep.folder / "e.pkl").write_bytes(pickle.dumps(Executed()))
    (gansweep.folder / "evil").mkdir()
    (gansweep.folder / "evil/__init__.py").write_text("import os; os.mkdir('executed')")
    untouched(gansweep, gansweep(*arguments), word)


def test_commands_that_train_nothing_compose_with_the_same_check(gansweep, evil):
    before = HydraConfig.instance().cfg
    with pytest.raises(BadConfig, match="os.mkdir"):
        composed(evil({"hydra": {"callbacks": {"x": {"_target_": "os.mkdir"}}}})[2:], "conf")
    HydraConfig.instance().cfg = before


def test_each_file_is_parsed_once_and_compositions_do_not_affect_each_other(monkeypatch):
    load, parsed = OmegaConf.load, Counter()

    def counted(file):
        parsed[file.name] += 1
        return load(file)

    monkeypatch.setattr(OmegaConf, "load", counted)
    with composer_and_loader(None) as (_, loader):

        def composed_of(*overrides):
            return OmegaConf.to_container(loader.load_configuration("config", list(overrides), run_mode=RunMode.RUN))

        before = composed_of()
        changed = composed_of("lr=3", "optimizer.betas=[0.1,0.2]", "model.latent_dim=5", "trainer.eval_every=7")
        assert (changed["lr"], changed["optimizer"]["betas"]) == (3, [0.1, 0.2])
        assert composed_of() == before
    assert set(parsed.values()) == {1}
