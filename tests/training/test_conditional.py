"""Training with labels: losses against plain torch, independent members, resuming, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pytest
import torch
from tests.config.test_build_conf import composed
from tests.training.small import Shapes, make_run, member, small_mlp
from torch import nn

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.batched.pack import PackSettings
from gansweep.config.build import check
from gansweep.config.keys import shared_in_pack
from gansweep.data.digits import Digits
from gansweep.dynamics.competitive import Competitive
from gansweep.dynamics.extragradient import ExtraGradient
from gansweep.labels import hash_for, in_proportion
from gansweep.layers import Pass
from gansweep.losses.objective import Objective
from gansweep.losses.relativistic_pairing import RelativisticPairing
from gansweep.losses.standard import Standard
from gansweep.losses.wasserstein import Wasserstein
from gansweep.metrics.intra_frechet import IntraFrechetDistance
from gansweep.models.dcgan import DCGAN
from gansweep.models.resnet import ResNet
from gansweep.penalties.r1 import R1
from gansweep.penalties.r2 import R2
from gansweep.penalties.wgan_gp import WGANGP
from gansweep.seeding import Streams
from gansweep.sweep.identity import digest, training_config
from gansweep.training.run import NUMERICS, numerics_of

CLASSES = 3
CAST = [
    member(1, objective=Objective(Wasserstein(), {"gp": WGANGP(weight=10.0)})),
    member(2, objective=Objective(Standard(), {"r1": R1(weight=1.0), "r2": R2(weight=3.0)})),
    member(3, objective=Objective(RelativisticPairing(Standard()), {}), ema=0.9),
]


@dataclass(frozen=True)
class LabelledShapes(Shapes):
    """Forty images in three classes of 5, 15 and 20."""

    @cached_property
    def labels(self):
        return (torch.arange(40) / 5).sqrt().long()


def pack_of(members, model, steps=4, **settings):
    data, size = LabelledShapes(), PackSettings(batch_size=10)
    members = [replace(one, steps=steps) for one in members]
    return AdversarialPack(members, model, data.samples, size, critic_steps=1, labels=data.labels, **settings)


def trained(members, model, steps=4, **settings):
    pack = pack_of(members, model, steps, **settings)
    for _ in pack.steps():
        pass
    return pack


@pytest.mark.parametrize(
    "dynamics", [None, ExtraGradient(), pytest.param(Competitive(), marks=pytest.mark.slow)], ids=str
)
def test_a_member_with_labels_does_not_depend_on_the_others(dynamics):
    torch.set_num_threads(1)
    model = small_mlp(conditional=True, spectral_norm=True)
    pack = trained([CAST[n] for n in (2, 0, 1)], model, dynamics=dynamics)
    for k, n in enumerate((2, 0, 1)):
        alone = trained([CAST[n]], model, dynamics=dynamics)
        for player in ("generator", "discriminator"):
            assert torch.equal(pack.export(k)[player]["theta"], alone.export(0)[player]["theta"])
        assert torch.equal(pack.sample_grid(k, 64), alone.sample_grid(0, 64))


def plain_critic(pack, x, labels):
    """D(x, y) of a small MLP in plain torch, from its state_dict."""
    saved = pack.d.network.state_dict(pack.d.theta)
    h = x.flatten(1)
    for name in ("1", "4"):
        h = nn.functional.leaky_relu(nn.functional.linear(h, saved[f"{name}.weight"], saved[f"{name}.bias"]), 0.2)
    psi = nn.functional.linear(h, saved["7.weight"], saved["7.bias"])[:, 0]
    return psi + (saved["projection.weight"][labels] * h).sum(1)


def plain_generator(pack, z, labels):
    saved = pack.g.network.state_dict(pack.g.theta)
    h = z
    for n, name in enumerate(("0", "2")):
        h = nn.functional.linear(h, saved[f"{name}.weight"], saved[f"{name}.bias"])
        scale, shift = (saved[f"modulation.{n}.{part}"][labels] for part in ("weight", "bias"))
        h = nn.functional.leaky_relu(scale * h + shift, 0.2)
    return torch.tanh(nn.functional.linear(h, saved["4.weight"], saved["4.bias"])).view(-1, 1, 6, 6)


@pytest.mark.parametrize("penalty", [WGANGP(weight=10.0), R1(weight=2.0), R2(weight=2.0)], ids=str)
def test_losses_and_penalties_are_those_of_plain_torch(penalty):
    """Mistakes: interpolates without their label, generated samples with labels of other places of the batch."""
    model = small_mlp(conditional=True, dropout=0.0)
    pack = trained([member(7, objective=Objective(Wasserstein(), {"p": penalty}))], model, steps=1)
    given = pack.separate_inputs("test/")
    labels = given.labels[0]
    fake = plain_generator(pack, given.z[0], labels)
    real = given.real[0]
    samples, labels_of_all = LabelledShapes().samples, LabelledShapes().labels
    for image, label in zip(real, labels, strict=True):
        assert labels_of_all[(samples == image).flatten(1).all(1)].tolist() == [label.item()]
    points = penalty.points(real[None], fake[None], given.penalties[0].u[0])[0].detach().requires_grad_()
    gradient = torch.autograd.grad(plain_critic(pack, points, labels).sum(), points)[0]
    game = plain_critic(pack, fake, labels).mean() - plain_critic(pack, real, labels).mean()
    expected = game + penalty.weight * penalty.score(gradient[None])[0].mean()
    joint = pack.game(given, read_only=True)
    loss_g, loss_d = joint.losses(joint.here())
    torch.testing.assert_close(loss_d, expected.detach(), rtol=1e-5, atol=1e-6, check_device=False)
    torch.testing.assert_close(loss_g, -plain_critic(pack, fake, labels).mean(), rtol=1e-5, atol=1e-6)


def test_the_generator_of_mlp_begins_as_that_without_labels():
    """Labels enter through scales of 1 and shifts of 0. Mistake: a second input of the length of z, within whose
    classes small generators collapse."""
    model = small_mlp(conditional=True)
    labelled, plain = model.generator((1, 6, 6), CLASSES), replace(model, conditional=False).generator((1, 6, 6))
    params, theirs = (network.cut(network.initial(Streams(3)["init"])[None]) for network in (labelled, plain))
    z = torch.randn(1, 3, model.latent_dim)
    y = labelled(params, z, Pass(labels=torch.tensor([[0, 1, 2]])))
    assert torch.equal(y, plain(theirs, z))


def test_an_evaluation_has_the_frequencies_of_the_data_and_the_grid_one_class_per_row():
    pack = trained([CAST[0]], small_mlp(conditional=True))
    labels = in_proportion(LabelledShapes().labels, 16)
    assert labels.bincount().tolist() == [2, 6, 8]
    z = pack.latents(0, 16, "evaluation")
    torch.testing.assert_close(pack.generate(0, 16, "evaluation", 5), plain_generator(pack, z, labels))
    z = pack.latents(0, 24, "pictures")
    rows = torch.arange(CLASSES).repeat_interleave(8)
    torch.testing.assert_close(pack.sample_grid(0, 64), plain_generator(pack, z, rows))


@pytest.mark.parametrize(
    "model",
    [
        DCGAN(latent_dim=3, base_width=2, conditional=True, spectral_norm=True),
        ResNet(latent_dim=3, base_width=2, max_width=4, conditional=True),
    ],
    ids=lambda model: type(model).__name__,
)
def test_convolutional_models_train_and_samples_depend_on_the_class(model):
    data = Digits()
    settings = PackSettings(batch_size=16)
    members = [member(1, steps=2)]
    pack = AdversarialPack(members, model, data.samples, settings, critic_steps=1, labels=data.labels)
    start = pack.d.theta
    for _ in pack.steps():
        pass
    assert pack.g.finite().all()
    assert (pack.d.theta != start).any(1).all()
    slots = [slot.name for slot in pack.d.network.slots]
    assert any(name.startswith("projection") for name in slots)
    one, other = (pack.generate_classes(0, torch.full((4,), label), "pictures") for label in (0, 9))
    assert not torch.allclose(one, other)


def test_a_run_with_labels_resumes_bit_for_bit():
    model = small_mlp(conditional=True)
    whole = trained([CAST[1]], model, steps=6)
    first, second = (pack_of([CAST[1]], model, steps=6) for _ in range(2))
    for _, _ in zip(range(3), first.steps(), strict=False):
        pass
    second.restore(0, first.export(0))
    for _ in second.steps():
        pass
    assert torch.equal(second.export(0)["generator"]["theta"], whole.export(0)["generator"]["theta"])


def test_intra_distance_is_the_mean_over_classes_and_sees_swapped_classes():
    """Mistake: the distance of all classes together, which does not change if classes are swapped."""
    metric, data = IntraFrechetDistance(features=Pixels(), num_samples=890), Digits()
    metric.check(data)
    labels = metric.labels(data)
    assert labels.bincount().tolist() == [89] * 10
    real = torch.cat([data.samples[data.labels == c][:89] for c in range(10)])
    value, swapped = metric(data, real), metric(data, real.flip(0))
    assert value < swapped / 3
    expected = []
    for c in range(10):
        a, b = (x.flatten(1).double().numpy() for x in (data.samples[data.labels == c], real[labels == c]))
        covariances = np.cov(a.T), np.cov(b.T)
        values = np.linalg.eigvals(covariances[0] @ covariances[1]).real.clip(0)
        shift = ((a.mean(0) - b.mean(0)) ** 2).sum()
        expected.append(shift + np.trace(covariances[0]) + np.trace(covariances[1]) - 2 * np.sqrt(values).sum())
    assert metric.per_class(data, real) == pytest.approx(expected, rel=1e-3, abs=1e-3)
    assert 0 < metric.floor(data) < swapped


@dataclass(frozen=True)
class Pixels:
    """Pixels as features."""

    name: str = "pixels"
    frechet_name: str = "fd_pixels"
    batch_size: int = 500

    def check(self, sample_shape):
        return None

    def fingerprint(self):
        return {"name": self.name}

    def __call__(self, images):
        return images.flatten(1)


def test_default_keeps_the_identity_and_labels_enter_it():
    config = composed("model=dcgan")
    assert config["model"].pop("conditional") is False
    assert digest(training_config(config)) == digest(training_config(composed("model=dcgan")))
    assert digest(training_config(config)) != digest(training_config(composed("model=dcgan", "model.conditional=true")))
    plain, labelled = small_mlp(), small_mlp(conditional=True)
    assert hash_for(LabelledShapes(), plain) == "shapes-1" != hash_for(LabelledShapes(), labelled)


def test_only_conditional_models_have_a_version_of_their_own():
    assert numerics_of(small_mlp()) == NUMERICS != numerics_of(small_mlp(conditional=True))


def test_members_with_and_without_labels_do_not_share_a_pack():
    shared = [shared_in_pack(composed("model=mlp", f"model.conditional={value}")) for value in ("true", "false")]
    assert shared[0] != shared[1]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["data=ring", "metric=wasserstein1"],
            "model.conditional=true: data=ring has no labels; expected digits",
        ),
        (["algorithm=cfg"], "model.conditional=true: only algorithm=adversarial supports this"),
        (["algorithm=coopnets", "loss=mean_difference"], "model.conditional=true: only algorithm=adversarial"),
        (["metric=intra_digits", "model.conditional=false"], "metric=intra_fd_digits: compares single classes"),
    ],
    ids=str,
)
def test_what_does_not_fit_labels_is_refused_before_training(overrides, message):
    problems = check(composed("model=mlp", "model.conditional=true", *overrides)).problems
    assert any(str(problem).startswith(message) for problem in problems), problems


def test_records_have_a_value_of_the_intra_distance(tmp_path):
    from gansweep.training.trainer import train

    metric = IntraFrechetDistance(features=Pixels(), num_samples=16)
    run = replace(make_run(4, model=small_mlp(conditional=True), metric=metric), data=LabelledShapes())
    record = train(run, tmp_path)
    assert record["metric"]["name"] == "intra_fd_pixels"
    assert record["metric"]["final"] > 0
    for evaluation in record["metric"]["evaluations"]:
        assert len(evaluation["per_class"]) == CLASSES
        assert evaluation["value"] == sum(evaluation["per_class"]) / CLASSES
