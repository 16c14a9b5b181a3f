"""Scheduled betas: values of each member, independence of the pack, resumption."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tests.training.small import Shapes, member, small_mlp

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.batched import parameter_chunks
from gansweep.batched.member import Member, PlayerSettings
from gansweep.batched.pack import PackSettings
from gansweep.optimizers.adam import Adam
from gansweep.optimizers.lookahead import Lookahead
from gansweep.optimizers.muon import Muon
from gansweep.optimizers.nadam import NAdam
from gansweep.optimizers.sgd import SGD
from gansweep.schedules.constant import Constant
from gansweep.schedules.linspace import Linspace


def scheduled(one: Member, of_g=None, of_d=None) -> Member:
    return replace(
        one,
        generator=replace(one.generator, beta_schedule=of_g),
        discriminator=replace(one.discriminator, beta_schedule=of_d),
    )


DOWN, UP = Linspace(1.0, 0.2), Linspace(0.0, 1.0)
CAST = [
    member(1),
    scheduled(member(2), DOWN, DOWN),
    scheduled(member(3), UP),
    scheduled(member(4, SGD(momentum=0.9, nesterov=True), 1e-2), DOWN, UP),
    scheduled(member(5, Lookahead(NAdam(), k=3)), UP, UP),
    member(6, SGD(momentum=0.9), 1e-2),
]


def pack_of(members, steps=6, **settings):
    members = [replace(one, steps=steps) for one in members]
    return AdversarialPack(
        members, small_mlp(), Shapes().samples, PackSettings(batch_size=10), critic_steps=2, **settings
    )


def play(pack, until=None):
    for report in pack.steps():
        if report.steps[0] == until:
            break
    return pack


def assert_same(one, other):
    for name in ("generator", "discriminator"):
        assert one[name].keys() == other[name].keys()
        for key in one[name].keys() - {"state", "buffers"}:
            assert torch.equal(one[name][key], other[name][key]), (name, key)
        for key, value in one[name]["state"].items():
            assert torch.equal(value, other[name]["state"][key]), (name, key)


@pytest.mark.parametrize("threads", [1, 2])
def test_members_are_independent_of_pack_and_position(threads):
    torch.set_num_threads(threads)
    alone = [play(pack_of([one])).export(0) for one in CAST]
    for order in ([0, 1, 2, 3, 4, 5], [5, 3, 1, 4, 2, 0], [2, 1]):
        pack = play(pack_of([CAST[n] for n in order]))
        for k, n in enumerate(order):
            assert_same(pack.export(k), alone[n])
    torch.set_num_threads(1)


def test_each_player_has_its_own_beta():
    """A constant schedule of 0.5 halves the beta of that player only, up to rounding."""
    half, fast = Linspace(0.5, 0.5), Adam(betas=(0.45, 0.999))
    slow = member(1).discriminator
    expected = Member(1, member().objective, PlayerSettings(fast, 1e-3, Constant()), slow)
    ours = play(pack_of([scheduled(member(1), half)])).export(0)
    theirs, plain = play(pack_of([expected])).export(0), play(pack_of([member(1)])).export(0)
    for name in ("generator", "discriminator"):
        torch.testing.assert_close(ours[name]["theta"], theirs[name]["theta"], rtol=1e-4, atol=1e-5)
    assert not torch.allclose(ours["generator"]["theta"], plain["generator"]["theta"], rtol=1e-4, atol=1e-5)


def test_the_product_counts_every_update():
    """Two critic steps of one generator step have the same beta, and one factor each in the product."""
    pack = play(pack_of([CAST[1]], steps=3))
    values = 0.9 * torch.tensor([1.0, 0.6, 0.2], dtype=torch.float64)
    assert pack.g.beta_products.item() == pytest.approx(values.prod().item(), rel=1e-6)
    assert pack.d.beta_products.item() == pytest.approx(values.square().prod().item(), rel=1e-6)


@pytest.mark.parametrize("one", CAST[1:5], ids=lambda one: str(one.seed))
def test_resumes_bit_for_bit_in_another_pack(one, monkeypatch):
    straight, saved = play(pack_of([one])).export(0), play(pack_of([one]), until=3).export(0)
    monkeypatch.setattr(parameter_chunks, "IN_CACHE", 17)
    other = pack_of([CAST[0], one])
    other.restore(1, saved)
    for report in other.steps():
        if report.steps[other.place[1]] == 6:
            break
    assert_same(other.export(1), straight)


def test_a_rule_on_whole_rows_has_a_scheduled_beta():
    pack = play(pack_of([scheduled(member(1, Muon(), 0.02), DOWN, DOWN), member(2)]))
    alone = play(pack_of([scheduled(member(1, Muon(), 0.02), DOWN, DOWN)]))
    assert_same(pack.export(0), alone.export(0))


def test_rules_without_beta_refuse_the_schedule():
    with pytest.raises(ValueError, match=r"SGD\(.*has no momentum that a schedule of beta could change"):
        scheduled(member(1, SGD()), DOWN)
    with pytest.raises(ValueError, match=r"makes a beta of 1.08 of 0.9 in step 7, expected 0 <= beta < 1"):
        scheduled(member(1), None, Linspace(1.0, 1.2))


@pytest.mark.slow
def test_compiled_rules_equal_uncompiled_ones():
    plain, compiled = play(pack_of(CAST, steps=4)), play(pack_of(CAST, steps=4, compiled=True))
    for k in range(len(CAST)):
        for name in ("generator", "discriminator"):
            ours, theirs = compiled.export(k)[name], plain.export(k)[name]
            torch.testing.assert_close(ours["theta"], theirs["theta"], rtol=1e-3, atol=1e-4)
            if "beta_product" in theirs:
                torch.testing.assert_close(ours["beta_product"], theirs["beta_product"], rtol=1e-12, atol=0)
