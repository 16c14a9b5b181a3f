"""precision=bf16 and tf32: every choice of every group trains three steps, also on a CPU.

Mistakes: an operation that is given two dtypes, statistics or penalties computed in bfloat16, an
optimizer whose matrix products run under autocast.
"""

from __future__ import annotations

import pytest
import torch
from tests.config.test_build_conf import composed
from tests.config.test_every_choice_trains import MLP, NOT_HERE, OF_DENOISING, SMALL, assert_trained, choices, outcome
from tests.layers.masks import masks as masks_of_pass
from tests.training.small import Shapes, member, small_mlp

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.batched.pack import PackSettings
from gansweep.config.build import build
from gansweep.layers import Pass
from gansweep.optimizers.sgd import SGD
from gansweep.seeding import Streams

MODELS = choices("model", (*OF_DENOISING, "point"))
PAIRS = [f"algorithm=coopnets loss=mean_difference model={model}" for model in ("coopnets", "coopnets_dcgan")]
GROUPS = {
    "loss": choices("loss"),
    "augment": choices("augment"),
    "optimizer": choices("optimizer"),
    "schedule": ["warmup schedule.length=1", *choices("schedule", ("warmup",))],
    "dynamics": choices("dynamics"),
    "feedback": choices("feedback"),
    "data": choices("data", NOT_HERE),
}


def trained(tmp_path, *overrides, precision="bf16", metric="~metric"):
    record = outcome(tmp_path, metric, "steps=3", f"precision={precision}", *overrides)
    assert_trained(record, tmp_path, steps=3)


@pytest.mark.parametrize(
    "choice",
    [
        "model=mlp loss=wgan_gp",
        "model=mlp loss=wgan_gp precision=tf32",
        "model=mlp_ring loss=wgan_lp",
        "model=dcgan loss=wgan_gp_per_pixel",
        "model=dcgan loss=roth dynamics=consensus",
        "model=resnet4 loss=r1",
        "model=dcganx loss=standard precision=tf32",
    ],
)
def test_a_few(choice, tmp_path):
    model = choice.split()[0].removeprefix("model=")
    trained(tmp_path, *SMALL[model], *choice.split())


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_models_with_every_loss(model, tmp_path):
    for loss in choices("loss"):
        trained(tmp_path / loss, f"model={model}", *SMALL[model], f"loss={loss}")


@pytest.mark.slow
@pytest.mark.parametrize("model", ["dcgan", "mlp", "resnet", "resnet4"])
def test_models_with_every_dynamics(model, tmp_path):
    for dynamics in choices("dynamics"):
        trained(tmp_path / dynamics, f"model={model}", *SMALL[model], "loss=wgan_gp", f"dynamics={dynamics}")


@pytest.mark.slow
@pytest.mark.parametrize(("group", "choice"), [(group, choice) for group in GROUPS for choice in GROUPS[group]])
@pytest.mark.parametrize("precision", ["bf16", "tf32"])
def test_every_other_choice(group, choice, precision, tmp_path):
    metric = "metric.num_samples=100" if group == "feedback" else "~metric"
    trained(tmp_path, *MLP, *f"{group}={choice}".split(), precision=precision, metric=metric)


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", choices("algorithm", ("adversarial",)))
def test_algorithms(algorithm, tmp_path):
    if algorithm == "coopnets":
        for n, choice in enumerate(PAIRS):
            trained(tmp_path / str(n), *choice.split(), *SMALL[choice.rpartition("=")[2]])
    elif algorithm == "cfg":
        for loss in ("r1", "wgan_gp"):
            few = ["algorithm.num_pairs=16", "algorithm.fit_epochs=2", f"loss={loss}"]
            trained(tmp_path / loss, "algorithm=cfg", "model=mlp_cfg", *SMALL["mlp_cfg"], *few)
    elif algorithm == "denoising":
        few = ["algorithm=denoising", "model=unet", "~loss", "model.base_width=2", "steps=3", "precision=bf16"]
        assert outcome(tmp_path, "metric=psnr", *few)["state"] == "completed"
    else:
        few = ["experiment=forsyth_quadratic", "data.num_samples=8", "precision=bf16"]
        assert outcome(tmp_path, *few)["state"] == "completed"


@pytest.mark.slow
@pytest.mark.parametrize("model", ["mlp", "dcgan", "resnet"])
def test_spectral_norm(model, tmp_path):
    trained(tmp_path, f"model={model}", *SMALL[model], "model.spectral_norm=true", "loss=r1")


@pytest.mark.parametrize("model", ["mlp", "dcgan", "resnet", "resnet4"])
def test_outputs_and_input_gradients_are_float32_and_near_those_of_fp32(model):
    """A bfloat16 has 8 bits: relative errors of a few 2^-8 = 0.4 % are those of the products alone."""
    run = build(composed(f"model={model}", *SMALL[model], "~metric"))
    network, x = run.model.discriminator(run.data.sample_shape), run.data.samples[:8][None]
    theta = network.initial(Streams(1)["init"])[None]
    masks, found = masks_of_pass(network, 8), {}
    for bf16 in (False, True):
        params = [p.detach().requires_grad_() for p in network.cut(theta)]
        buffers = network.initial_buffers(1, params=params)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            outputs = network(params, x, Pass(masks, buffers))
            slopes = network.input_gradient(params, x, Pass(masks, buffers))
        gradients = torch.autograd.grad(slopes.square().sum(), params, allow_unused=True, materialize_grads=True)
        found[bf16] = [outputs, slopes, torch.cat([gradient.flatten() for gradient in gradients])]
    for exact, rounded in zip(found[False], found[True], strict=True):
        assert rounded.dtype == torch.float32
        assert not torch.equal(rounded, exact)
        assert (rounded - exact).norm() < 0.03 * exact.norm()


def test_optimizers_do_not_run_under_autocast():
    """Muon's matrix products would be rounded to bfloat16."""
    seen = []

    class Spy(SGD):
        def update(self, *arguments):
            seen.append(torch.is_autocast_enabled("cpu"))
            super().update(*arguments)

    pack = AdversarialPack(
        [member(1, Spy())], small_mlp(), Shapes().samples, PackSettings(batch_size=4, precision="bf16"), critic_steps=1
    )
    next(pack.steps())
    assert seen
    assert not any(seen)
