"""Every choice of the dynamics in packs: independence, resuming, refused settings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf
from tests.batched.test_independence import CAST, assert_same
from tests.construct import instantiate
from tests.training.small import Shapes, member, small_mlp

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.batched.pack import PackSettings
from gansweep.dynamics.alternating import Alternating
from gansweep.dynamics.competitive import Competitive
from gansweep.dynamics.consensus import Consensus
from gansweep.dynamics.symplectic import Symplectic
from gansweep.dynamics.unrolled import Unrolled
from gansweep.interfaces import Dynamics
from gansweep.losses.objective import Objective
from gansweep.losses.standard import Standard
from gansweep.optimizers.sgd import SGD

CONF = Path(__file__).parents[2] / "conf" / "dynamics"
CHOICES = sorted(path.stem for path in CONF.glob("*.yaml"))
JOINT = [name for name in CHOICES if name != "alternating"]


def choose(choice):
    return instantiate(OmegaConf.load(CONF / f"{choice}.yaml"))


@pytest.mark.parametrize("choice", CHOICES)
def test_is_dynamics_and_moves_nothing_at_rate_zero(choice):
    dynamics = choose(choice)
    assert isinstance(dynamics, Dynamics)
    one = replace(member(1, SGD(), 1e-30, Objective(Standard())), steps=2)
    pack = AdversarialPack(
        [one], small_mlp(), Shapes().samples, PackSettings(batch_size=10), critic_steps=1, dynamics=dynamics
    )
    before = pack.export(0)
    for _ in pack.steps():
        pass
    for player in ("generator", "discriminator"):
        torch.testing.assert_close(pack.export(0)[player]["theta"], before[player]["theta"], rtol=0, atol=1e-20)


def play(members, dynamics, steps=5, until=None, pack=None):
    members = [replace(one, steps=steps) for one in members]
    pack = pack or AdversarialPack(
        members, small_mlp(), Shapes().samples, PackSettings(batch_size=10), critic_steps=1, dynamics=dynamics
    )
    for report in pack.steps():
        if report.steps[0] == until:
            break
    return pack


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("choice", JOINT)
def test_members_are_independent_of_their_pack(choice, threads):
    dynamics, steps = choose(choice), 4 if threads == 1 else 2
    torch.set_num_threads(threads)
    try:
        pack = play(CAST, dynamics, steps)
        for k, one in enumerate(CAST):
            assert_same(pack, k, play([one], dynamics, steps))
    finally:
        torch.set_num_threads(1)


@pytest.mark.parametrize("choice", JOINT)
def test_a_member_that_is_nan_leaves_the_others_alone(choice):
    dynamics = choose(choice)
    members = [replace(one, steps=4) for one in CAST[:3]]
    pack = AdversarialPack(
        members, small_mlp(), Shapes().samples, PackSettings(batch_size=10), critic_steps=1, dynamics=dynamics
    )
    for theta in pack.d.chunks:
        theta[pack.place[1]] = float("nan")
    for _ in pack.steps():
        pass
    assert_same(pack, 0, play([CAST[0]], dynamics, steps=4))
    assert_same(pack, 2, play([CAST[2]], dynamics, steps=4))
    assert pack.monitor.read()[pack.place[1]] is not None


@pytest.mark.parametrize("choice", JOINT)
def test_it_goes_on_exactly_where_it_stopped(choice):
    dynamics = choose(choice)
    whole, half = play(CAST[:2], dynamics), play(CAST[:2], dynamics, until=3)
    other = AdversarialPack(
        [replace(one, steps=5) for one in (CAST[4], CAST[1])],
        small_mlp(),
        Shapes().samples,
        PackSettings(batch_size=10),
        critic_steps=1,
        dynamics=dynamics,
    )
    other.restore(1, half.export(1))
    for _ in other.steps():
        pass
    for player in ("generator", "discriminator"):
        assert torch.equal(other.export(1)[player]["theta"], whole.export(1)[player]["theta"])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Consensus(gamma=-1.0), "gamma=-1.0: expected a number >= 0"),
        (lambda: Symplectic(strength=float("nan")), "strength=nan"),
        (lambda: Competitive(iterations=0), "iterations=0: expected a whole number >= 1"),
        (lambda: Unrolled(steps=-1), "steps=-1"),
        (lambda: Alternating(generator_steps=0), "generator_steps=0: expected a whole number >= 1"),
        (lambda: Alternating(generator_steps=2, fresh_latents=False), "generator_steps=2: expected 1 with"),
    ],
)
def test_a_setting_out_of_range_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
