"""Every choice of every group trains on the pretended device and agrees with the CPU."""

from __future__ import annotations

import re

import pytest
from tests.config.test_build_conf import CONF
from tests.config.test_every_choice_trains import MLP, NO_WEIGHTS, OF_DENOISING, SMALL, SMALLER, choices
from tests.rehearsal.pretended import PretendedDevice
from tests.rehearsal.rehearsal import BF16_TOLERANCE, FEW_SAMPLES, rehearse, run_on

from gansweep.training.trainer import train

pytestmark = pytest.mark.rehearsal
PRECISIONS = pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 5e-3), ("bf16", BF16_TOLERANCE)])
LOSSES = ["r1", "r2", "wgan_gp", "dragan", "roth", "r3gan", "hinge", "ralsgan", "label_smoothing", "wgan"]


@pytest.mark.parametrize("choice", choices("loss"))
def test_loss(choice, tmp_path):
    rehearse(tmp_path, *MLP, f"loss={choice}")


@pytest.mark.parametrize("choice", choices("optimizer"))
def test_optimizer(choice, tmp_path):
    # The first bases of SOAP are eigenvectors of a matrix of low rank: those of the eigenvalue 0 depend on rounding.
    rehearse(tmp_path, *MLP, f"optimizer={choice}", tolerance=5e-3 if choice == "soap" else 1e-3)


@pytest.mark.parametrize("choice", choices("schedule"))
def test_schedule(choice, tmp_path):
    rehearse(tmp_path, *MLP, f"schedule={choice}", *(["schedule.length=1"] if choice == "warmup" else []))


@pytest.mark.parametrize("setting", ["beta", "penalty", "noise", "ema", "critic"])
def test_schedule_of_another_setting(setting, tmp_path):
    critic_steps = ["critic_steps=3"] if setting == "critic" else []
    also = ["trainer.ema=0.9", "loss.instance_noise=0.1", *critic_steps]
    rehearse(tmp_path, *MLP, f"schedule@schedule_{setting}=linspace", *also)


@pytest.mark.parametrize("choice", choices("feedback"))
def test_feedback(choice, tmp_path):
    rehearse(tmp_path, *MLP, *FEW_SAMPLES, "trainer.eval_every=1", f"feedback={choice}")


@pytest.mark.parametrize("choice", choices("dynamics"))
@PRECISIONS
def test_dynamics(choice, precision, tolerance, tmp_path):
    rehearse(tmp_path, *MLP, f"dynamics={choice}", f"precision={precision}", tolerance=tolerance)


@pytest.mark.parametrize("model", ["mlp", "dcgan", "resnet"])
@PRECISIONS
def test_labels_and_augmentation(model, precision, tolerance, tmp_path):
    changes = ["model.conditional=true", "augment=diffaugment", f"precision={precision}"]
    rehearse(tmp_path, f"model={model}", *SMALL[model], *changes, tolerance=tolerance)


@pytest.mark.parametrize("model", choices("model", (*OF_DENOISING, "point")))
@PRECISIONS
def test_model(model, precision, tolerance, tmp_path):
    rehearse(tmp_path, f"model={model}", *SMALL[model], f"precision={precision}", tolerance=tolerance)


@pytest.mark.parametrize(
    "changes",
    [["model.spectral_norm=true", "loss=hinge"], ["loss=wgan_gp"], ["model.batch_norm_discriminator=true"]],
    ids=["spectral_norm", "wgan_gp", "batch_norm"],
)
def test_dcgan(changes, tmp_path):
    rehearse(tmp_path, "model=dcgan", *SMALL["dcgan"], *changes, tolerance=5e-3)


@pytest.mark.parametrize("metric", choices("metric", (*NO_WEIGHTS, *OF_DENOISING)))
def test_metric(metric, tmp_path):
    rehearse(tmp_path, *MLP, *data_of(metric), f"metric={metric}", *FEW_SAMPLES, *SMALLER.get(metric, []))


def data_of(metric):
    """Return the settings of small data that a metric can be computed on."""
    if re.search("wasserstein|mode_", (CONF / "metric" / f"{metric}.yaml").read_text()):
        return ["data=ring"]
    large = metric in ("mnist", "intra_mnist", "kid_mnist", "kid_texture", "inception_score")
    return ["data=digits", *(["data.size=28"] if large else [])]


@pytest.mark.parametrize("model", ["mlp", "dcgan", "resnet4", "resnet"])
@pytest.mark.parametrize("loss", LOSSES)
def test_bf16(model, loss, tmp_path):
    """On the device only: autocast has other rules on CUDA than on a CPU."""
    with PretendedDevice():
        run = run_on("cuda", f"model={model}", *SMALL[model], f"loss={loss}", "precision=bf16", steps=2)
        assert train(run, tmp_path)["state"] == "completed"
