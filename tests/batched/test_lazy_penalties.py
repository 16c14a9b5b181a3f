"""Lazy regularisation: n P(D) in every n-th update of the discriminator, of each member on its own."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tests.config.test_build_conf import composed
from tests.training.small import Shapes, member, small_mlp

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.batched.pack import PackSettings
from gansweep.config.build import check
from gansweep.dynamics.alternating import Alternating
from gansweep.dynamics.extragradient import ExtraGradient
from gansweep.losses.objective import Objective
from gansweep.losses.standard import Standard
from gansweep.losses.wasserstein import Wasserstein
from gansweep.penalties.r1 import R1
from gansweep.penalties.r2 import R2
from gansweep.penalties.wgan_gp import WGANGP
from gansweep.sweep.identity import training_config


def lazy(seed, every, *, lr=1e-3, **others):
    objective = Objective(Standard(), {"r1": R1(weight=2.0, every=every), **others})
    return member(seed, lr=lr, objective=objective)


CAST = [
    lazy(1, 3),
    lazy(2, 1),
    lazy(3, 4, r2=R2(weight=1.0, every=2)),
    member(4, objective=Objective(Wasserstein(), {"gp": WGANGP(weight=10.0, every=2)})),
    lazy(5, 2),
]


def pack_of(members, steps=7, critic_steps=1, dynamics=None):
    return AdversarialPack(
        [replace(one, steps=steps) for one in members],
        small_mlp(),
        Shapes().samples,
        PackSettings(batch_size=10),
        critic_steps=critic_steps,
        dynamics=dynamics or Alternating(),
    )


def trained(pack, until=None):
    for report in pack.steps():
        if report.steps[0] == until:
            break
    return pack


def same(one, k, other, n=0):
    return all(
        torch.equal(one.export(k)[player]["theta"], other.export(n)[player]["theta"])
        for player in ("generator", "discriminator")
    )


@pytest.mark.parametrize("dynamics", [Alternating(), ExtraGradient()], ids=repr)
def test_every_nth_update_has_n_times_the_penalty_and_the_others_none(dynamics):
    """At a rate of almost 0, the terms of two members of one seed differ by the factor only."""
    pack = pack_of([lazy(1, 3, lr=1e-30), lazy(1, 1, lr=1e-30)], dynamics=dynamics)
    rows, factors = pack.place, []
    for report in pack.steps():
        (term,) = report.discriminator.penalties
        factors.append((term[rows[0]] / term[rows[1]]).item())
        loss = report.discriminator.loss - report.discriminator.game
        torch.testing.assert_close(loss, term, rtol=1e-4, atol=1e-6)
    assert factors == pytest.approx([3, 0, 0, 3, 0, 0, 3], rel=1e-6)


def test_updates_of_the_discriminator_are_counted_not_steps():
    """With two updates per step, updates 0, 3, 6 and 9 are due: the second one of steps 1 and 4 (from 0)."""
    pack = pack_of([lazy(1, 3)], critic_steps=2, steps=6)
    assert [bool(report.discriminator.penalties[0]) for report in pack.steps()] == [
        False,
        True,
        False,
        False,
        True,
        False,
    ]


@pytest.mark.parametrize("threads", [1, 2])
def test_members_are_independent_of_their_pack(threads):
    torch.set_num_threads(threads)
    try:
        alone = [trained(pack_of([one])) for one in CAST]
        for order in ([0, 1, 2, 3, 4], [4, 2, 0, 3, 1]):
            pack = trained(pack_of([CAST[n] for n in order]))
            assert all(same(pack, k, alone[n]) for k, n in enumerate(order))
    finally:
        torch.set_num_threads(1)


@pytest.mark.parametrize(("critic_steps", "dynamics"), [(2, Alternating()), (1, ExtraGradient())])
def test_it_continues_in_the_same_phase_beside_a_new_member(critic_steps, dynamics):
    whole = trained(pack_of(CAST[:2], 7, critic_steps, dynamics))
    half = trained(pack_of(CAST[:2], 7, critic_steps, dynamics), until=4)
    other = pack_of([CAST[4], CAST[0]], 7, critic_steps, dynamics)
    other.restore(1, half.export(0))
    assert same(trained(other), 1, whole)


def test_diagnoses_see_the_average_penalty():
    gradients = []
    for every in (1, 3):
        pack = pack_of([lazy(1, every, lr=1e-30)])
        trained(pack, until=2)
        game = pack.game(pack.separate_inputs("diagnosis/"), read_only=True)
        field = game.field()
        gradients.append(torch.cat([*field.discriminator, *game.penalties().discriminator], 1))
    torch.testing.assert_close(gradients[0], gradients[1])


def test_without_it_the_identity_is_the_earlier_one():
    config = composed("loss=r1")
    earlier = {**config, "loss": {**config["loss"], "penalties": {"r1": dict(config["loss"]["penalties"]["r1"])}}}
    del earlier["loss"]["penalties"]["r1"]["every"]
    assert training_config(config) == training_config(earlier)
    assert training_config(config) != training_config(composed("loss=r1", "loss.penalties.r1.every=16"))


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (("loss.penalties.r1.every=0",), "loss.penalties.r1.every=0: expected a whole number >= 1"),
        (("loss.penalties.r1.every=2", "algorithm=cfg"), "loss.penalties.r1.every=2: only algorithm=adversarial"),
    ],
)
def test_a_wrong_setting_is_named(overrides, message):
    problems = [str(problem) for problem in check(composed("loss=r1", *overrides)).problems]
    assert [text for text in problems if text.startswith(message)]
