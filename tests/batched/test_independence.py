"""Bit-independence: a member's result does not depend on K, on other members or on its position."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tests.training.small import Shapes, member, small_mlp

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.batched.pack import PackSettings
from gansweep.losses.hinge import Hinge
from gansweep.losses.objective import Objective
from gansweep.losses.standard import Standard
from gansweep.losses.wasserstein import Wasserstein
from gansweep.models.dcgan import DCGAN
from gansweep.optimizers.adam import Adam
from gansweep.optimizers.rmsprop import RMSprop
from gansweep.optimizers.sgd import SGD
from gansweep.penalties.r1 import R1
from gansweep.penalties.r2 import R2
from gansweep.penalties.wgan_gp import WGANGP
from gansweep.schedules.cosine import Cosine

CAST = [
    member(1),
    member(2, SGD(momentum=0.9), 1e-2, Objective(Wasserstein(), {"gp": WGANGP(weight=10.0)})),
    member(3, RMSprop(), 1e-4, Objective(Standard(), {"r1": R1(weight=1.0), "r2": R2(weight=3.0)})),
    member(4, Adam(betas=(0.5, 0.9)), 1e-3, Objective(Hinge(), {}), Cosine()),
    member(5, Adam(), 1e-4, Objective(Wasserstein(), {"gp": WGANGP(weight=1.0)}), ema=0.9),
    member(6, SGD(), 1e-2, Objective(Wasserstein(), {}, clip=0.05)),
]


def train(members, model, samples, steps=8, batch_size=10, compiled=False):
    members = [replace(one, steps=steps) for one in members]
    pack = AdversarialPack(
        members, model, samples, PackSettings(batch_size=batch_size), critic_steps=2, compiled=compiled
    )
    for _ in pack.steps():
        pass
    return pack


def assert_same(pack, k, alone):
    one, other = pack.export(k), alone.export(0)
    for player in ("generator", "discriminator"):
        assert torch.equal(one[player]["theta"], other[player]["theta"]), player
        for name, value in other[player]["state"].items():
            assert torch.equal(one[player]["state"][name], value), (player, name)
        for name, value in other[player]["buffers"].items():
            assert torch.equal(one[player]["buffers"][name], value), (player, name)
    if "ema" in other:
        assert torch.equal(one["ema"], other["ema"])
    assert torch.equal(pack.generate(k, 9, "evaluation"), alone.generate(0, 9, "evaluation"))


@pytest.mark.parametrize("threads", [1, 2])
def test_members_are_independent_of_pack_and_position(threads):
    torch.set_num_threads(threads)
    model, samples = small_mlp(), Shapes().samples
    alone = [train([m], model, samples) for m in CAST]
    for order in ([0, 1, 2, 3, 4, 5], [5, 3, 1, 4, 2, 0], [2, 4]):
        pack = train([CAST[n] for n in order], model, samples)
        for k, n in enumerate(order):
            assert_same(pack, k, alone[n])


@pytest.mark.parametrize("threads", [1, 2])
def test_wide_networks_with_several_threads(threads):
    torch.set_num_threads(threads)
    model = small_mlp(generator_widths=(64, 257), discriminator_widths=(257, 64))
    samples = Shapes().samples
    pack = train(CAST[:3], model, samples, steps=3, batch_size=130)
    for k in range(3):
        assert_same(pack, k, train([CAST[k]], model, samples, steps=3, batch_size=130))


@pytest.mark.parametrize("in_discriminator", [False, True])
def test_convolutions_and_batch_norm(in_discriminator):
    model = DCGAN(latent_dim=6, base_width=4, batch_norm_discriminator=in_discriminator)
    samples = torch.rand(30, 1, 28, 28, generator=torch.Generator().manual_seed(1)) * 2 - 1
    members = [CAST[0], CAST[1], CAST[3]]
    pack = train(members, model, samples, steps=2, batch_size=6)
    for k, m in enumerate(members):
        assert_same(pack, k, train([m], model, samples, steps=2, batch_size=6))


def test_a_diverged_member_does_not_affect_the_others():
    model, samples = small_mlp(), Shapes().samples
    bad = member(9, SGD(), 1e30, Objective(Wasserstein(), {"gp": WGANGP(weight=10.0)}))
    pack = train([CAST[0], bad, CAST[1], CAST[5]], model, samples)
    assert not pack.export(1)["discriminator"]["theta"].isfinite().all()
    assert [d is not None for d in (pack.monitor.read()[pack.place[k]] for k in range(4))] == [
        False,
        True,
        False,
        False,
    ]
    for k, n in ((0, 0), (2, 1), (3, 5)):
        assert_same(pack, k, train([CAST[n]], model, samples))


def test_batches_depend_on_the_seed():
    pack = AdversarialPack(
        [member(1), member(1, lr=0.01), member(2)],
        small_mlp(),
        Shapes().samples,
        PackSettings(batch_size=10),
        critic_steps=1,
    )
    inputs = pack.random.for_discriminator()
    one, same, other = (pack.place[k] for k in range(3))
    assert torch.equal(inputs.real[one], inputs.real[same])
    assert torch.equal(inputs.z[one], inputs.z[same])
    assert not torch.equal(inputs.real[one], inputs.real[other])


def test_evaluation_does_not_affect_training():
    model, samples = small_mlp(), Shapes().samples
    pack = AdversarialPack([CAST[0]], model, samples, PackSettings(batch_size=10), critic_steps=2)
    for _ in pack.steps():
        pack.generate(0, 7, "evaluation")
    assert_same(pack, 0, train([CAST[0]], model, samples))


def test_a_penalty_does_not_change_data_and_latents():
    off = replace(CAST[0], objective=Objective(Standard(), {}))
    packs = [
        AdversarialPack([m], small_mlp(dropout=0.0), Shapes().samples, PackSettings(batch_size=10), critic_steps=1)
        for m in (CAST[0], off)
    ]
    for n in range(5):
        for pack in packs:
            pack.draws.begin([n], torch.tensor([n]))
        a, b = (pack.random.for_discriminator() for pack in packs)
        assert torch.equal(a.real, b.real)
        assert torch.equal(a.z, b.z)


@pytest.mark.slow
def test_compiled_members_are_independent_with_one_thread():
    model, samples = small_mlp(), Shapes().samples
    members = [CAST[0], CAST[1], CAST[3]]
    pack = train(members, model, samples, compiled=True)
    for k, m in enumerate(members):
        assert_same(pack, k, train([m], model, samples, compiled=True))
