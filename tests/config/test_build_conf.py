"""Every choice of every group composes and builds."""

from __future__ import annotations

from itertools import zip_longest
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from gansweep.cli import folders
from gansweep.cli.hydra_app import composer_and_loader
from gansweep.config.build import build, check
from gansweep.training.run import Run

CONF = folders.conf_dir()
GROUPS = ("model", "loss", "augment", "optimizer", "schedule", "feedback", "data", "metric", "trainer", "experiment")
# Other settings that a choice needs for a valid run.
NETS = "tests.models.plain_nets"
MODULES = [f"model.generator={NETS}.Generator", f"model.discriminator={NETS}.Critic", f"allow=[{NETS}]"]
EMBED = ["metric.features.module=tests.metrics.feature_nets.Embed", "allow=[tests.metrics.feature_nets]"]
COMPANY = {"data=image_folder": ["data.root=."], "model=modules": MODULES, "metric=module": EMBED}


def choices():
    return [f"{group}={path.stem}" for group in GROUPS for path in sorted((CONF / group).glob("*.yaml"))]


def composed(*overrides):
    with composer_and_loader(None) as (composer, _):
        composition = composer(overrides)
    assert composition.problems == []
    return composition.config


@pytest.mark.parametrize("choice", choices())
def test_every_choice_is_a_class_completed_with_arguments_that_it_takes(choice):
    """A renamed argument or a value out of range in a YAML shows here; data may be missing."""
    checked = check(composed(choice, *COMPANY.get(choice, [])), choice.split("=")[:1])
    group = choice.partition("=")[0]
    assert group in checked.parts or group == "experiment"
    told = [str(p) for p in checked.problems]
    assert not [text for text in told if "unknown key" in text or "_target_" in text or "must be given" in text]


def test_every_choice_can_apply_to_the_discriminator_only():
    """A configuration has one choice of each group."""
    groups = ("optimizer", "schedule", "feedback")
    names = (sorted(path.stem for path in (CONF / group).glob("*.yaml")) for group in groups)
    generator = build(composed()).member.generator
    for chosen in zip_longest(*names):
        line = [f"{group}@{group}_d={name}" for group, name in zip(groups, chosen, strict=True) if name is not None]
        assert build(composed(*line)).member.generator == generator, line


def test_the_defaults_build():
    run = build(composed("device=cpu"))
    assert isinstance(run, Run)
    assert run.member.generator == run.member.discriminator
    assert (run.steps, run.batch_size, run.critic_steps) == (1000, 64, 1)


def test_every_yaml_names_its_class():
    """conf/optimizer/lion.yaml names a class in gansweep.optimizers."""
    folder = {"loss": "losses", "data": "data", "metric": "metrics", "feedback": "feedback"}
    for group in ("model", "optimizer", "schedule", "feedback", "data", "metric"):
        for path in sorted(Path(CONF / group).glob("*.yaml")):
            target = OmegaConf.load(path)["_target_"]
            assert target.startswith(f"gansweep.{folder.get(group, group + 's')}."), path
