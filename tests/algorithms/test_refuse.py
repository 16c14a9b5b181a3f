"""With the default settings, an algorithm reports all settings to change at once, with a valid command line.

Mistake: one thing is named, and after it is changed the next one.
"""

from __future__ import annotations

import re

import pytest
from tests.config.test_build_conf import composed

from gansweep.cli.folders import conf_dir
from gansweep.config.build import check

ALGORITHMS = {
    "denoising": {"loss", "model", "metric"},
    "coopnets": {"loss", "model"},
    "cfg": {"model"},
    "quadratic": {"loss", "model", "data"},
}


@pytest.mark.parametrize("name", ALGORITHMS)
def test_all_is_named_at_once(name):
    problems = check(composed(f"algorithm={name}", "trainer.compile=true")).problems
    *named, last = problems
    assert {one.name for one in named} - {"trainer.compile", ""} == ALGORITHMS[name], named
    assert any("trainer.compile" in str(one) for one in named)
    settings, experiment = re.fullmatch(rf"algorithm={name}: goes with (.*), as in experiment=(.*)", str(last)).groups()
    assert (conf_dir() / "experiment" / f"{experiment}.yaml").is_file()
    assert check(composed(f"algorithm={name}", *settings.split())).problems == []


@pytest.mark.parametrize("name", ["denoising", "coopnets", "quadratic"])
def test_a_loss_that_has_to_go_takes_its_critic_steps_along(name):
    problems = check(composed(f"algorithm={name}", "loss=wgan_gp")).problems
    assert {one.name for one in problems} == ALGORITHMS[name] | {"algorithm"}
    problems = check(composed(f"algorithm={name}", "loss=wgan_gp", "critic_steps=2")).problems
    assert "critic_steps" in {one.name for one in problems}


def test_what_is_about_several_settings_begins_with_them():
    (problem,) = check(composed("algorithm=denoising", "model=unet", "~loss", "metric=psnr", "lr_d=1e-2")).problems
    assert str(problem).startswith("lr_d, optimizer_d, schedule_d, feedback_d or clip_grad_norm_d: ")
