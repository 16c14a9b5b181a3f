"""Update rules with further state, in packs: independence, resumption, evaluation parameters."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tests.training.small import Shapes, make_run, member, small_mlp

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.batched import parameter_chunks
from gansweep.batched.pack import PackSettings
from gansweep.dynamics.extragradient import ExtraGradient
from gansweep.optimizers.adabelief import AdaBelief
from gansweep.optimizers.adam import Adam
from gansweep.optimizers.adan import Adan
from gansweep.optimizers.lion import Lion
from gansweep.optimizers.lookahead import Lookahead
from gansweep.optimizers.muon import Muon
from gansweep.optimizers.nadam import NAdam
from gansweep.optimizers.optimistic import Optimistic
from gansweep.optimizers.prodigy import Prodigy
from gansweep.optimizers.schedule_free_adamw import ScheduleFreeAdamW
from gansweep.optimizers.schedule_free_sgd import ScheduleFreeSGD
from gansweep.schedules.cosine import Cosine

ELEMENTWISE = [
    member(1, NAdam()),
    member(2, Lion(), 1e-4),
    member(3, AdaBelief(), schedule=Cosine()),
    member(4, Adan()),
    member(5, Optimistic(Adam(betas=(0.5, 0.9)))),
    member(6, Lookahead(NAdam(), k=3), ema=0.5),
    member(7, ScheduleFreeSGD(), 0.1, schedule=Cosine()),
    member(8, ScheduleFreeAdamW(), 1e-2, ema=0.5),
]
WHOLE = [member(9, Muon(), 0.02), member(10, Prodigy(d0=1e-4), 1.0), member(11, Lookahead(Muon(), k=2), 0.02)]
MEMBERS = [*ELEMENTWISE, *WHOLE]
NAMES = [f"{type(one.generator.rule).__name__}-{one.seed}" for one in MEMBERS]


@pytest.fixture(params=[1, 2])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def pack_of(members, steps=8, model=None, batch_size=10, critic_steps=2):
    members = [replace(one, steps=steps) for one in members]
    return AdversarialPack(
        members, model or small_mlp(), Shapes().samples, PackSettings(batch_size=batch_size), critic_steps=critic_steps
    )


def train(members, **settings):
    pack = pack_of(members, **settings)
    for _ in pack.steps():
        pass
    return pack


def everything(pack, k):
    """Return all tensors of member k and its random draws."""
    saved = pack.export(k)
    found = {"samples": pack.generate(k, 9, "evaluation")} | ({"ema": saved["ema"]} if "ema" in saved else {})
    for name in ("generator", "discriminator"):
        found |= {f"{name}/theta": saved[name]["theta"], f"{name}/updates": saved[name]["updates"]}
        found |= {f"{name}/{key}": value for key, value in saved[name]["state"].items()}
    return found


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name in one:
        assert torch.equal(one[name], other[name]), name


def test_members_are_independent_of_pack_and_position(threads):
    alone = [everything(train([one], steps=4), 0) for one in MEMBERS]
    for order in (range(10, -1, -1), [4, 0, 6]):
        pack = train([MEMBERS[n] for n in order], steps=4)
        for k, n in enumerate(order):
            assert_same(everything(pack, k), alone[n])


def test_wide_networks_with_several_threads(threads):
    settings = {
        "model": small_mlp(generator_widths=(64, 257), discriminator_widths=(257, 64)),
        "batch_size": 30,
        "steps": 2,
        "critic_steps": 1,
    }
    members = [*WHOLE, ELEMENTWISE[6]]
    pack = train(members, **settings)
    for k, one in enumerate(members):
        assert_same(everything(pack, k), everything(train([one], **settings), 0))


@pytest.mark.parametrize("one", ELEMENTWISE, ids=NAMES[:8])
def test_parameter_chunks_do_not_change_results(one, monkeypatch):
    """A value shared by a row's entries is updated once per step, regardless of the number of chunks."""
    whole = everything(train([one]), 0)
    monkeypatch.setattr(parameter_chunks, "IN_CACHE", 17)
    pack = train([one])
    assert len(pack.g.chunks) > 2
    assert_same(everything(pack, 0), whole)


@pytest.mark.parametrize("one", MEMBERS, ids=NAMES)
def test_resumes_bit_for_bit_in_another_pack(one, monkeypatch):
    straight, first = train([one]), pack_of([one])
    for report in first.steps():
        if report.steps == [4]:
            break
    saved, drawn = first.export(0), first.generate(0, 9, "evaluation")
    monkeypatch.setattr(parameter_chunks, "IN_CACHE", 17)
    other = pack_of([WHOLE[0], one] if one is ELEMENTWISE[0] else [one])
    k = len(other.members) - 1
    other.restore(k, saved)
    assert torch.equal(other.generate(k, 9, "evaluation"), drawn)
    for report in other.steps():
        if report.steps[other.place[k]] == 8:
            break
    assert_same(everything(other, k), everything(straight, 0))


@pytest.mark.parametrize("n", [5, 6, 7])
def test_evaluation_parameters_differ_from_trained_ones(n):
    """Samples come from the rule's average; the trainer's running average is computed from it."""
    one = replace(ELEMENTWISE[n], ema=None)
    pack = train([one, member(1)])
    row, name = pack.place[0], "slow" if n == 5 else "x"
    (group,) = [group for group in pack.g.groups if group.rule is one.generator.rule]
    (average,) = [state[name][row - group.rows.start] for state in group.state]
    assert not torch.equal(average, pack.g.theta[row])
    judged, drawn = pack.g.evaluated()[0][row], pack.generate(0, 9, "evaluation")
    assert torch.equal(judged, average)
    forgetful = train([replace(one, ema=0.0)])
    assert torch.equal(forgetful.ema[0][0], average)
    assert torch.equal(forgetful.generate(0, 9, "evaluation"), drawn)
    pack.g.chunks[0][row].zero_()
    assert torch.equal(pack.generate(0, 9, "evaluation"), drawn)


def test_lookahead_of_both_players_in_the_same_step():
    pack = pack_of([member(1, Lookahead(Adam(), k=3))], critic_steps=1)
    for report in pack.steps():
        back = [torch.equal(side.evaluated()[0], side.chunks[0]) for side in (pack.g, pack.d)]
        assert back == [report.steps[0] % 3 == 0] * 2


@pytest.mark.parametrize("n", [5, 6, 7])
def test_extragradient_refuses_rules_with_averages(n):
    run = make_run(one=ELEMENTWISE[n])
    with pytest.raises(ValueError, match=r"dynamics=ExtraGradient\(\): restores .* expected another optimizer"):
        replace(run, dynamics=ExtraGradient())


@pytest.mark.slow
def test_compiled_rules_equal_uncompiled_ones():
    members = [ELEMENTWISE[0], ELEMENTWISE[5], ELEMENTWISE[7]]
    plain = train(members, steps=4)
    compiled = AdversarialPack(
        [replace(one, steps=4) for one in members],
        small_mlp(),
        Shapes().samples,
        PackSettings(batch_size=10),
        critic_steps=2,
        compiled=True,
    )
    for _ in compiled.steps():
        pass
    for k in range(3):
        one, other = everything(plain, k), everything(compiled, k)
        for name in one:
            torch.testing.assert_close(one[name], other[name], rtol=1e-3, atol=1e-4, msg=name)
