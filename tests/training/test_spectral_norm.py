"""Spectral normalisation in training: which passes update its vectors, and independence of members."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tests.batched.test_independence import CAST, assert_same, train
from tests.training.small import Shapes, member, small_mlp

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.batched.pack import PackSettings
from gansweep.layers import Pass
from gansweep.losses.objective import Objective
from gansweep.losses.standard import Standard
from gansweep.models.dcgan import DCGAN
from gansweep.models.resnet import ResNet
from gansweep.optimizers.sgd import SGD
from gansweep.penalties.r1 import R1

SAMPLES = torch.rand(30, 1, 16, 16, generator=torch.Generator().manual_seed(1)) * 2 - 1
MODELS = {
    "mlp": small_mlp(spectral_norm=True),
    "dcgan": DCGAN(latent_dim=6, base_width=4, batch_norm_discriminator=True, spectral_norm=True),
    "resnet": ResNet(latent_dim=6, base_width=3, spectral_norm=True),
}


def pack_of(*members, model=MODELS["mlp"]):
    return AdversarialPack(list(members), model, Shapes().samples, PackSettings(batch_size=10), critic_steps=1)


def vectors(pack):
    return {name: buffer.clone() for name, buffer in pack.d.buffers.items()}


def test_sigma_is_the_largest_singular_value_from_the_start():
    """15 power iterations are done before the first pass."""
    pack = pack_of(member(1))
    for slot, weight in zip(pack.d.network.slots, pack.d.params(), strict=True):
        if slot.role == "weight":
            u, v = (pack.d.buffers[slot.name.replace("original", f"0.{which}")] for which in ("_u", "_v"))
            sigma = (u * (weight * v[:, None]).sum(2)).sum()
            assert sigma.item() == pytest.approx(torch.linalg.matrix_norm(weight[0], 2).item(), rel=0.1)


def test_one_power_iteration_per_discriminator_step():
    penalised = Objective(Standard(), {"r1": R1(weight=0.0)})
    for objective in (Objective(Standard(), {}), penalised):
        pack = pack_of(member(1, SGD(), 0.0, objective))
        network, before, params = pack.d.network, vectors(pack), pack.d.params()
        inputs = pack.random.for_discriminator()
        pack._discriminator_step(inputs)
        state = Pass(inputs.masks, before)
        network(params, torch.zeros(1, 20, 1, 6, 6), state)  # vectors do not depend on the samples
        kept = vectors(pack)
        assert all(torch.equal(kept[name], value) for name, value in state.updates.items())
        assert any(not torch.equal(kept[name], before[name]) for name in kept)
        pack._generator_step(pack.random.for_generator(inputs))
        assert all(torch.equal(kept[name], value) for name, value in vectors(pack).items())


def test_the_generator_step_uses_current_weights():
    """Its pass iterates from the stored vectors with the updated weights, so sigma is not the old one."""
    pack = pack_of(member(1, SGD(), 0.5))
    inputs = pack.random.for_discriminator()
    pack._discriminator_step(inputs)
    given = pack.random.for_generator(inputs)
    fake = pack.g.network(pack.g.params(), given.z, Pass(given.generator_masks))
    logits = pack.d.network(pack.d.params(), fake, Pass(given.masks, vectors(pack)))[..., 0]
    loss, _, _ = pack._generator_step(given)
    torch.testing.assert_close(loss, torch.nn.functional.softplus(-logits).mean(1))


@pytest.mark.parametrize(("name", "threads"), [("mlp", 1), ("mlp", 2), ("dcgan", 1), ("resnet", 1)])
def test_members_are_independent_of_their_pack(name, threads):
    torch.set_num_threads(threads)
    samples = Shapes().samples if name == "mlp" else SAMPLES
    members = [CAST[0], CAST[1], CAST[3]]
    pack = train(members, MODELS[name], samples, steps=2, batch_size=6)
    for k, one in enumerate(members):
        assert_same(pack, k, train([one], MODELS[name], samples, steps=2, batch_size=6))


def test_a_restored_member_continues_bit_for_bit():
    one, other = pack_of(replace(member(3), steps=6)), pack_of(replace(member(3), steps=6))
    steps = one.steps()
    for _ in range(3):
        next(steps)
    other.restore(0, one.export(0))
    for pack, rest in ((one, steps), (other, other.steps())):
        for _ in rest:
            pass
        assert pack.done == [6]
    assert_same(one, 0, other)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_compiled_steps_equal_uncompiled_ones(name):
    samples = Shapes().samples if name == "mlp" else SAMPLES[..., :8, :8]
    packs = [train([CAST[0]], MODELS[name], samples, 2, 6, compiled) for compiled in (False, True)]
    found = [[*p.d.chunks, *p.d.buffers.values(), *p.g.chunks] for p in packs]
    for plain, compiled in zip(*found, strict=True):
        torch.testing.assert_close(compiled, plain, rtol=1e-3, atol=1e-4)
