"""Every choice of every group trains two steps and writes a record, or is refused."""

from __future__ import annotations

import re
from itertools import zip_longest
from pathlib import Path

import pytest
import torch
from tests.config.test_build_conf import CONF, EMBED, MODULES, composed

from gansweep.config.build import build
from gansweep.training.trainer import train

TINY = ["device=cpu", "batch_size=8", "steps=2", "critic_steps=1", "trainer.tensorboard=false", "trainer.check_every=1"]
MLP = ["model.latent_dim=4", "model.generator_widths=[8]", "model.discriminator_widths=[8]"]
NARROW = ["model.base_width=2", "model.latent_dim=4"]
SMALL = {
    "mlp": MLP,
    "mlp_2d": ["data=line"],
    "mlp_ring": ["data=ring"],
    "mlp_cfg": ["model.generator_of.generator_widths=[8]", "model.discriminator_of.base_width=2"],
    "dirac": ["data=point_mass"],
    "modules": MODULES,
    "coopnets": ["model.width=2"],
    "coopnets_dcgan": ["model.generator_of.width=2", "model.discriminator_of.base_width=2"],
    **dict.fromkeys(["dcgan", "dcgan_plain", "dcganx", "resnet", "resnet4"], NARROW),
}
# These need files that are not part of the package; tests/data writes imitations.
NOT_HERE = ("celeba", "cifar10", "fashion_mnist", "image_folder", "mnist", "npz")
OF_DENOISING = ("psnr", "unet")
# These need downloaded weights; tests/metrics uses random ones.
NO_WEIGHTS = ("intra_inception", "epfl", "inception", "inception_score_imagenet", "kid_inception")


def choices(group, without=()):
    return [path.stem for path in sorted((CONF / group).glob("*.yaml")) if path.stem not in without]


def outcome(tmp_path, *overrides):
    run = build(composed(*TINY, *overrides))
    before = torch.get_num_threads()
    try:
        return train(run, tmp_path)
    finally:
        torch.set_num_threads(before)


def assert_trained(record, tmp_path, steps=2):
    assert record["state"] == "completed"
    assert record["steps"] == steps
    saved = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["member"]
    assert all(saved[player]["theta"].isfinite().all() for player in ("generator", "discriminator"))


def test_games_rules_and_schedules(tmp_path):
    """A training has one choice of each group."""
    groups = ("loss", "augment", "optimizer", "schedule")
    for number, chosen in enumerate(zip_longest(*map(choices, groups))):
        line = [f"{group}={choice}" for group, choice in zip(groups, chosen, strict=True) if choice is not None]
        suits_two_steps = ["schedule.length=1"] if "schedule=warmup" in line else []
        record = outcome(tmp_path / str(number), *MLP, "~metric", *line, *suits_two_steps)
        assert record["state"] == "completed", line
        assert_trained(record, tmp_path / str(number))


@pytest.mark.parametrize("choice", choices("feedback"))
def test_feedback(choice, tmp_path):
    few = ["metric.num_samples=100", "trainer.eval_every=1"]
    assert_trained(outcome(tmp_path, *MLP, *few, f"feedback={choice}"), tmp_path)


@pytest.mark.parametrize("model", choices("model", (*OF_DENOISING, "point")))
def test_models(model, tmp_path):
    assert_trained(outcome(tmp_path, f"model={model}", *SMALL[model], "~metric"), tmp_path)


def test_a_point(tmp_path):
    assert outcome(tmp_path, "experiment=forsyth_quadratic", "data.num_samples=8")["state"] == "completed"


def test_an_autoencoder(tmp_path):
    choices = ["algorithm=denoising", "model=unet", "~loss", "metric=psnr"]
    record = outcome(tmp_path, *choices, "model.base_width=2")
    assert (record["state"], record["steps"]) == ("completed", 2)


@pytest.mark.parametrize("data", choices("data", NOT_HERE))
def test_data(data, tmp_path):
    assert_trained(outcome(tmp_path, *MLP, "~metric", f"data={data}"), tmp_path)


@pytest.mark.parametrize("metric", choices("metric", (*NO_WEIGHTS, *OF_DENOISING)))
def test_metrics(metric, tmp_path):
    data = "digits"
    if re.search("wasserstein|mode_", Path(CONF / "metric" / f"{metric}.yaml").read_text()):
        data = "ring"
    size = ["data.size=28"] if metric in ("mnist", "intra_mnist", "kid_mnist", "kid_texture", "inception_score") else []
    record = outcome(
        tmp_path, *MLP, f"data={data}", *size, f"metric={metric}", "metric.num_samples=100", *SMALLER.get(metric, [])
    )
    assert_trained(record, tmp_path)
    assert [e["step"] for e in record["metric"]["evaluations"]] == [0, 2]
    assert record["metric"]["final"] is not None


SMALLER = {
    "fd_infinity": ["metric.num_points=3"],
    "intra_digits": ["model.conditional=true"],
    "intra_mnist": ["model.conditional=true"],
    "kid_digits": ["metric.subset_size=20", "metric.num_subsets=3"],
    "kid_mnist": ["metric.subset_size=20", "metric.num_subsets=3"],
    "kid_texture": ["metric.subset_size=20", "metric.num_subsets=3"],
    "inception_score": ["metric.num_splits=2"],
    "module": EMBED,
}
