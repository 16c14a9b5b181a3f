"""The three protocols of the EPFL study, row by row. Mistake: a deviation that is missing or not in the study."""

from __future__ import annotations

import itertools

import pytest
from tests.config.test_build_conf import composed

from gansweep.cli.experiments import spelled_out
from gansweep.config.build import check
from gansweep.papers.epfl_quirks import STEPS

CODE = {
    "dynamics.fresh_batches": False,
    "dynamics.fresh_latents": False,
    "loss.penalties.gp._target_": "gansweep.penalties.wgan_gp_per_pixel.WGANGPPerPixel",
    "loss.penalties.gp.weight": 1.0,
    "model.dropout_in_evaluation": True,
    "metric.features.low": -3.0,
    "metric.num_real": 1000,
    "metric.with_replacement": True,
    "epochs": 291,
}
PUBLISHED = {
    "dynamics.fresh_batches": True,
    "dynamics.fresh_latents": True,
    "loss.penalties.gp._target_": "gansweep.penalties.wgan_gp.WGANGP",
    "loss.penalties.gp.weight": 10.0,
    "model.dropout_in_evaluation": False,
    "metric.features.low": -1.0,
    "metric.num_real": None,
    "metric.with_replacement": False,
    "epochs": 300,
}
EXPECTED = {"original_code": CODE, "wgan_gp": PUBLISHED, "paper": PUBLISHED | {"metric.num_real": 1000}}


def config(*overrides):
    return composed(*spelled_out(overrides))


def leaf(node, key):
    for part in key.split("."):
        node = node[part]
    return node


def leaves(node, prefix=""):
    for key, inner in node.items():
        yield from leaves(inner, f"{prefix}{key}.") if isinstance(inner, dict) else [(f"{prefix}{key}", inner)]


@pytest.mark.parametrize("protocol", EXPECTED)
def test_settings_of_the_protocols(protocol):
    made = config("experiment=epfl_table1", f"protocol={protocol}")
    assert {key: leaf(made, key) for key in CODE} == EXPECTED[protocol]
    assert (made["batch_size"], made["loss"]["critic_steps"], made["metric"]["num_samples"]) == (128, 5, 1000)
    assert made["lr_d"] == made["lr"]
    assert made["optimizer"]["betas"] == [0.9, 0.999]


def test_each_step_changes_one_switch():
    """The first and the last step are the protocols of table I."""
    chain = [dict(leaves(config("experiment=epfl_quirks", f"protocol={name}"))) for name in STEPS]
    for ends, protocol in ((chain[0], "wgan_gp"), (chain[-1], "original_code")):
        made = dict(leaves(config("experiment=epfl_table1", f"protocol={protocol}")))
        assert {key for key in ends if ends[key] != made[key]} == {"name"}
    changed = [{key for key in after if after[key] != before[key]} for before, after in itertools.pairwise(chain)]
    assert changed == [
        {"dynamics.fresh_batches"},
        {"dynamics.fresh_latents"},
        {"loss.penalties.gp.weight"},
        {"loss.penalties.gp._target_"},
        {"model.dropout_in_evaluation"},
        {"epochs"},
        {"metric.num_real", "metric.with_replacement"},
        {"metric.features.low"},
    ]


@pytest.mark.parametrize("experiment", ["epfl_table1", "epfl_quirks"])
@pytest.mark.parametrize("scale", ["full", "small", "smoke"])
def test_every_scale_is_valid(experiment, scale):
    """The data may be missing, except for the smallest scale, whose data are part of scikit-learn."""
    made = config(f"experiment={experiment}", f"scale={scale}")
    problems = [str(problem) for problem in check(made, ["experiment"]).problems]
    assert [text for text in problems if not text.startswith("data=mnist")] == []
    if scale == "smoke":
        assert problems == []


def test_networks_have_the_size_of_the_paper():
    from gansweep.models.mlp import MLP

    model = MLP()
    assert model.generator((1, 28, 28)).num_parameters == 1_493_520
    assert model.discriminator((1, 28, 28)).num_parameters == 1_460_225
