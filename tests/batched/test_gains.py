"""Feedback during training: observed values, members, and resumption."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
import torch
from tests.batched.test_independence import assert_same
from tests.training.small import Shapes, make_run, member, small_mlp
from tests.training.test_resume import assert_equal_tree, check_continued, member_of, scalars, timeless
from torch.optim.lr_scheduler import ReduceLROnPlateau

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.batched.member import side_by_side
from gansweep.batched.pack import PackSettings
from gansweep.feedback.gap_aware import GapAware
from gansweep.feedback.none import NoFeedback
from gansweep.feedback.plateau import Plateau
from gansweep.losses.hinge import Hinge
from gansweep.losses.objective import Objective
from gansweep.optimizers.rmsprop import RMSprop
from gansweep.optimizers.sgd import SGD
from gansweep.schedules.cosine import Cosine
from gansweep.training.trainer import train as train_run

RESTLESS = Plateau(patience=0, threshold=0.3)  # reduces at almost every evaluation
QUICK = GapAware(decay=0.5)


def hearing(one, generator=None, discriminator=None):
    """Return the same member with feedback."""
    g, d = one.generator, one.discriminator
    return replace(one, generator=replace(g, feedback=generator), discriminator=replace(d, feedback=discriminator))


CAST = [
    hearing(member(1), None, QUICK),
    hearing(member(2, SGD(momentum=0.9), 1e-2, schedule=Cosine()), RESTLESS, RESTLESS),
    member(3, RMSprop(), 1e-4),
    hearing(member(4, objective=Objective(Hinge(), {})), RESTLESS, GapAware(h_min=0.3)),
    hearing(member(5), None, QUICK),
    hearing(member(6), NoFeedback(), QUICK),
    hearing(member(7, SGD(), 1e-2), Plateau(patience=1), None),
    hearing(member(8), None, RESTLESS),
    hearing(member(9), None, GapAware(f_max=5.0)),
]


def pack_of(members, batch_size=10, **settings):
    members = [replace(one, steps=8) for one in members]
    return AdversarialPack(
        members, small_mlp(), Shapes().samples, PackSettings(batch_size), **({"critic_steps": 2} | settings)
    )


def play(pack, until=8):
    """Train, and update every member's feedback with a value of this member after every second step."""
    done, steps = pack.done[0], pack.steps()
    while done < until:
        next(steps)
        done += 1
        if done % 2 == 0:
            for k in range(len(pack.members)):
                pack.update_feedback(k, math.cos(done * pack.members[pack.place[k]].seed), True)
    return pack


def gain(pack, player, k):
    return float(getattr(pack, player).gains.now[pack.place[k], 0])


@pytest.mark.parametrize(("threads", "orders"), [(1, [range(9), [8, 2, 0], range(8)]), (2, [[1, 2, 0]])])
def test_members_are_independent_of_their_pack(threads, orders):
    torch.set_num_threads(threads)
    alone = [play(pack_of([CAST[n]])) for n in sorted(orders[0])]
    assert gain(alone[0], "d", 0) != 1
    assert gain(alone[1], "g", 0) < 1
    assert alone[2].d.gains is None
    for order in orders:
        pack = play(pack_of([CAST[n] for n in order]))
        for k, n in enumerate(order):
            assert_same(pack, k, alone[n])
            assert_equal_tree(pack.export(k), alone[n].export(0))


def test_members_with_equal_feedback_are_adjacent():
    order = side_by_side([CAST[n] for n in (0, 8, 4, 7, 5)])
    assert order.index(2) == order.index(0) + 1


def test_the_gain_is_restored_in_another_pack():
    straight = play(pack_of(CAST[:4]))
    first = play(pack_of(CAST[:4]), until=3)
    second = pack_of([CAST[3], *CAST[6:], CAST[0], CAST[1], CAST[2]])
    for k, n in ((0, 3), (4, 0), (5, 1), (6, 2)):
        second.restore(k, first.export(n))
    for k in (1, 2, 3):
        second.restore(k, play(pack_of([second.members[second.place[k]]]), until=3).export(0))
    play(second)
    for k, n in ((0, 3), (4, 0), (5, 1), (6, 2)):
        assert_equal_tree(second.export(k), straight.export(n))


@pytest.mark.parametrize("neighbours", [[], CAST[:2]])
def test_a_gain_of_one_equals_no_feedback(neighbours):
    one = member(1, schedule=Cosine())
    without = play(pack_of([one]))
    for feedback in (None, NoFeedback(), GapAware(h_min=1.0, f_max=1.0)):
        g = None if feedback == GapAware(h_min=1.0, f_max=1.0) else feedback
        assert_same(play(pack_of([hearing(one, g, feedback), *neighbours])), 0, without)


@dataclass(frozen=True)
class Quarter(NoFeedback):
    """A gain of 1/4 from the first update on."""

    monitors: ClassVar = "game"

    def update(self, state, signal, lower_is_better=True):
        return torch.full_like(signal, 0.25)


@pytest.mark.parametrize("rule", [SGD(momentum=0.5), RMSprop()])
def test_the_gain_multiplies_the_scheduled_rate(rule):
    one = member(1, rule, 0.5**8, schedule=Cosine())
    quarter = replace(one, discriminator=replace(one.discriminator, lr=0.5**10))
    assert_same(play(pack_of([hearing(one, None, Quarter())])), 0, play(pack_of([quarter])))


def test_a_batch_affects_the_update_it_leads_to():
    pack = pack_of([hearing(member(1, lr=1e-2), None, GapAware(decay=0.0))], critic_steps=1)
    for report in pack.steps():
        x = (float(report.discriminator.game) - math.log(4)) / (0.1 * math.log(4))
        expected = 2 ** min(x, 1) if x > 0 else 0.1 ** min(-x, 1)
        assert float(pack.d.lr) == pytest.approx(1e-2 * expected, rel=1e-5)
        assert float(pack.g.lr) == pytest.approx(1e-2)


def test_the_monitored_loss_excludes_penalties():
    terms = next(pack_of([member(1)]).steps()).discriminator
    assert float(terms.penalties[0]) > 0
    torch.testing.assert_close(terms.game + terms.penalties[0], terms.loss)


def test_a_loss_of_nan_makes_the_gain_nan_and_ends_the_run():
    bad = hearing(member(1, SGD(), 1e30), None, QUICK)
    pack = play(pack_of([bad, CAST[0]]))
    found = pack.monitor.read()[pack.place[0]]
    assert found is not None
    assert math.isnan(gain(pack, "d", 0))
    assert_same(pack, 1, play(pack_of([CAST[0]])))


def test_compiled_feedback_equals_eager_feedback(monkeypatch):
    whole = torch.compile
    monkeypatch.setattr(torch, "compile", lambda step, **more: whole(step, backend="eager", **more))
    members = CAST[:3]
    eager, compiled = (play(pack_of(members, compiled=compiled)) for compiled in (False, True))
    for player in ("g", "d"):
        one, other = getattr(eager, player), getattr(compiled, player)
        torch.testing.assert_close(other.gains.now, one.gains.now, rtol=1e-4, atol=0)
        torch.testing.assert_close(other.lr, one.lr, rtol=1e-4, atol=0)


@pytest.mark.slow
def test_compiled_members_are_independent_with_one_thread():
    pack = play(pack_of(CAST[:3], compiled=True))
    for k in range(3):
        assert_same(pack, k, play(pack_of([CAST[k]], compiled=True)))


def listening(**every):
    return make_run(one=CAST[3], steps=12, **every)


def test_rates_in_the_curves_follow_the_observed_values(tmp_path):
    """torch's scheduler gives the same rates for the observed values."""
    run = listening(eval_every=3, log_every=1)
    record = train_run(run, tmp_path)
    evaluations = record["metric"]["evaluations"]
    assert [e["step"] for e in evaluations if "heard" in e] == [0, 3, 6, 9]
    assert evaluations[0]["heard"] != evaluations[0]["value"]
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=run.member.generator.lr)
    scheduler = ReduceLROnPlateau(optimizer, factor=0.5, patience=0, threshold=0.3, eps=0)
    expected = {}
    for evaluation in evaluations[:4]:
        scheduler.step(evaluation["heard"])
        at = evaluation["step"]
        expected |= dict.fromkeys((at + 1, at + 2, at + 3), optimizer.param_groups[0]["lr"])
    assert len(set(expected.values())) > 2
    rates = dict(scalars(tmp_path)["rate/generator"])
    assert rates == pytest.approx(expected)


@pytest.mark.parametrize("stops", [[1], [4, 5], [8]])
def test_stopped_and_continued(stops, tmp_path):
    check_continued(listening(), stops, tmp_path)


@pytest.mark.parametrize("every", [{"eval_every": 5}, {"eval_every": 4}])
def test_killed_after_a_checkpoint_of_an_evaluation(every, tmp_path):
    """The checkpoint of step 5 contains the value observed at step 5."""
    run = listening(**every)
    expected = train_run(run, tmp_path / "straight")

    class Killed(BaseException):
        pass

    def kill(step, total, text):
        if step == 9:
            raise Killed

    with pytest.raises(Killed):
        train_run(run, tmp_path / "killed", progress=kill)
    assert member_of(tmp_path / "killed")["step"] == 5
    assert timeless(train_run(run, tmp_path / "killed")) == timeless(expected)
    assert_equal_tree(member_of(tmp_path / "killed"), member_of(tmp_path / "straight"))


def test_a_checkpoint_without_feedback_has_no_field_for_it(tmp_path):
    train_run(make_run(one=member(1)), tmp_path)
    saved = member_of(tmp_path)
    assert "feedback" not in saved["generator"]
    assert "feedback" not in saved["discriminator"]


def test_feedback_on_the_game_belongs_to_the_discriminator():
    with pytest.raises(ValueError, match=r"^generator\.feedback=GapAware.*discriminator\.feedback"):
        hearing(member(1), GapAware(), None)


def test_feedback_on_a_metric_needs_one():
    run = make_run(one=member(1))
    with pytest.raises(ValueError, match=r"^metric=null: "):
        replace(run, metric=None, member=CAST[7])
