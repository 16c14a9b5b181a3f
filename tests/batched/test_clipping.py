"""Gradient clipping of a member is that of torch, and independent of the other members."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tests.config.test_build_conf import composed
from tests.training.small import Shapes, member, small_mlp

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.batched.clipping import Clipping
from gansweep.batched.pack import PackSettings
from gansweep.config.build import check
from gansweep.dynamics.alternating import Alternating
from gansweep.dynamics.simultaneous import Simultaneous
from gansweep.optimizers.muon import Muon
from gansweep.optimizers.sgd import SGD
from gansweep.sweep.identity import training_config

SIZES = [35, 5, 1500, 3]
CPU = torch.device("cpu")


def gradients(num_members=3):
    return torch.randn(num_members, sum(SIZES), generator=torch.Generator().manual_seed(0))


def clip(rows, norms, values, chunks=(SIZES,)):
    parts = rows.split([sum(chunk) for chunk in chunks], 1)
    return torch.cat(list(Clipping(norms, values, chunks, CPU)(parts)), 1)


@pytest.mark.parametrize(("norm", "value"), [(2.0, None), (1e3, None), (None, 0.3), (5.0, 0.2)])
def test_equals_the_functions_of_torch(norm, value):
    rows = gradients()
    clipped = clip(rows, [norm] * 3, [value] * 3)
    for row, ours in zip(rows, clipped, strict=True):
        parameters = [torch.nn.Parameter(torch.zeros(size)) for size in SIZES]
        for parameter, part in zip(parameters, row.split(SIZES), strict=True):
            parameter.grad = part.clone()
        if value is not None:
            torch.nn.utils.clip_grad_value_(parameters, value)
        if norm is not None:
            torch.nn.utils.clip_grad_norm_(parameters, norm)
        torch.testing.assert_close(ours, torch.cat([p.grad for p in parameters]), rtol=1e-6, atol=1e-9)


def test_does_not_depend_on_chunks_and_other_members():
    rows, norms, values = gradients(), [1.0, 7.0, None], [None, 0.5, None]
    together = clip(rows, norms, values)
    assert torch.equal(together, clip(rows, norms, values, (SIZES[:2], SIZES[2:])))
    for k in range(3):
        assert torch.equal(together[k], clip(rows[k : k + 1], norms[k : k + 1], values[k : k + 1])[0])


def test_a_member_without_bounds_keeps_its_gradient_even_if_it_is_not_finite():
    rows = gradients(2)
    rows[1, 3], rows[1, 4] = float("nan"), float("inf")
    clipped = clip(rows, [1.0, None], [0.5, None])
    assert torch.equal(clipped[1].nan_to_num(nan=7.0), rows[1].nan_to_num(nan=7.0))
    assert clipped[0].isfinite().all()


def clipped_member(seed, rule=None, lr=1e-2, g=(None, None), d=(None, None)):
    one = member(seed, rule or SGD(), lr)
    generator = replace(one.generator, clip_norm=g[0], clip_value=g[1])
    return replace(one, generator=generator, discriminator=replace(one.discriminator, clip_norm=d[0], clip_value=d[1]))


def pack_of(members, steps, dynamics=None):
    return AdversarialPack(
        [replace(one, steps=steps) for one in members],
        small_mlp(),
        Shapes().samples,
        PackSettings(batch_size=10),
        critic_steps=1,
        dynamics=dynamics or Alternating(),
    )


@pytest.mark.parametrize("dynamics", [Alternating(), Simultaneous()], ids=repr)
def test_a_step_of_gradient_descent_is_as_long_as_the_bound_of_its_player(dynamics):
    pack = pack_of([clipped_member(1, lr=1.0, g=(1e-2, None), d=(None, 1e-4))], 1, dynamics)
    before = pack.g.theta, pack.d.theta
    (report,) = pack.steps()
    step_g, step_d = pack.g.theta - before[0], pack.d.theta - before[1]
    assert step_g.norm().item() == pytest.approx(1e-2, rel=1e-3)  # up to rounding of the parameters
    assert step_d.abs().max().item() == pytest.approx(1e-4, rel=1e-3)
    assert report.generator_gradient.item() > 2e-2  # before clipping


@pytest.mark.parametrize("threads", [1, 2])
def test_members_are_independent_of_their_pack(threads):
    cast = [
        clipped_member(1, g=(0.01, None), d=(0.02, None)),
        clipped_member(2),
        clipped_member(3, Muon(), g=(None, 1e-3), d=(0.5, 1e-3)),  # puts all slots into one chunk
    ]
    torch.set_num_threads(threads)
    try:
        pack = pack_of(cast, 4)
        list(pack.steps())
        for k, one in enumerate(cast):
            alone = pack_of([one], 4)
            list(alone.steps())
            for player in ("generator", "discriminator"):
                assert torch.equal(pack.export(k)[player]["theta"], alone.export(0)[player]["theta"])
    finally:
        torch.set_num_threads(1)


def bounds(*overrides):
    member = check(composed(*overrides)).run.member
    return [(player.clip_norm, player.clip_value) for player in (member.generator, member.discriminator)]


def test_the_discriminator_has_the_bounds_of_the_generator_unless_given():
    assert bounds() == [(None, None)] * 2
    assert bounds("clip_grad_norm=1", "clip_grad_value=0.5") == [(1.0, 0.5)] * 2
    assert bounds("clip_grad_norm=1", "clip_grad_norm_d=null") == [(1.0, None), (None, None)]
    assert bounds("clip_grad_value_d=2") == [(None, None), (None, 2.0)]


def test_without_bounds_the_identity_is_the_earlier_one():
    config = composed()
    earlier = {key: value for key, value in config.items() if not key.startswith("clip_")}
    assert training_config(config) == training_config(earlier)
    assert training_config(config) != training_config(composed("clip_grad_norm_d=1"))


@pytest.mark.parametrize("value", ["0", "-1", "abc", "inf"])
def test_a_wrong_bound_is_reported_once(value):
    (problem,) = check(composed(f"clip_grad_norm={value}")).problems
    assert str(problem).startswith("clip_grad_norm=")
    (problem,) = check(composed(f"clip_grad_value_d={value}")).problems
    assert str(problem).startswith("clip_grad_value_d=")
