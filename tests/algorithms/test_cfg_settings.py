"""Composite functional gradients: schedule and feedback of eta, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tests.algorithms.cfg_packs import LOGISTIC, SMALL, pack_of, run_of
from tests.training.small import make_run, member, small_mlp

from gansweep.algorithms.breakdown import Breakdown, Guard
from gansweep.algorithms.cfg import CFG
from gansweep.feedback.gap_aware import GapAware
from gansweep.feedback.plateau import Plateau
from gansweep.losses.objective import Objective
from gansweep.losses.relativistic_pairing import RelativisticPairing
from gansweep.losses.standard import Standard
from gansweep.optimizers.adam import Adam
from gansweep.optimizers.lookahead import Lookahead
from gansweep.schedules.linspace import Linspace


def test_eta_has_a_schedule_and_feedback_of_its_own():
    box = replace(SMALL, eta=2.0, schedule_eta=Linspace(), feedback_eta=Plateau(factor=0.5, patience=0))
    pack = pack_of(run_of(box))
    etas, rates = [], []
    for n, report in enumerate(pack.steps()):
        etas.append(float(report.rates["eta"]))
        rates.append(float(report.rates["discriminator"]))
        pack.update_feedback(0, float(n), True)
    assert etas == pytest.approx([2 * Linspace()(n, 4) * 0.5 ** max(0, n - 1) for n in range(4)])
    assert rates == pytest.approx([1e-3] * 4)
    assert run_of(box).monitors_metric
    assert not run_of().monitors_metric


def test_the_guard_goes_back_and_slows_down():
    rule = Breakdown(enabled=True, window=3, keep_every=2, decay=0.5)
    pack = pack_of(run_of(replace(SMALL, guard=rule), steps=9))
    fits = iter([1.0, 1.1, 0.9, 1.0, 5.2, 1.0, 1.0, 1.0, 1.0])
    fit, states, etas = pack.approximators.fit, [], []

    def told(z, target, orders):
        return replace(fit(z, target, orders), last=torch.tensor([next(fits)]))

    pack.approximators.fit = told
    for report in pack.steps():
        etas.append(float(report.rates["eta"]))
        states.append((pack.g.theta, pack.d.theta, float(pack.d.updates), pack.generate(0, 5, "x")))
    for now, sound in zip(states[4], states[3], strict=True):  # the state is that of stage 4, which was saved
        assert torch.equal(now, sound) if isinstance(now, torch.Tensor) else now == sound
    assert not torch.equal(states[5][0], states[3][0])
    assert etas == pytest.approx([0.5] * 5 + [0.25] * 4)
    assert float(report.rates["discriminator"]) == pytest.approx(5e-4)
    assert float(report.rates["generator"]) == pytest.approx(1e-3)
    assert int(report.returns) == 1


def test_what_counts_as_broken():
    guard = Guard(Breakdown(enabled=True, window=2), 3, torch.device("cpu"))
    sound = torch.tensor([1.36, 0.5, 1.36])
    one = torch.ones(3)
    assert guard.broken(torch.tensor([0.4, 0.4, 0.4]), one) == [False] * 3  # there is no earlier loss yet
    for _ in range(3):
        assert guard.broken(sound, one) == [False] * 3
    # the loss of the first fell; that of the second was always low; the third's approximator diverged
    assert guard.broken(torch.tensor([0.82, 0.5, 1.37]), torch.tensor([1.0, 1.0, 5.1])) == [True, False, True]
    assert guard.broken(sound, torch.tensor([1.0, 4.9, 4.9])) == [False] * 3


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"trainer": {"compile": True}}, "trainer.compile=true"),
        ({"trainer": {"diagnose_every": 5}}, "trainer.diagnose_every=5"),
        ({"one": member(ema=0.9, objective=LOGISTIC)}, "trainer.ema=0.9"),
        ({"one": member(rule=Lookahead(Adam()), objective=LOGISTIC)}, "optimizer=Lookahead"),
        ({"one": member(objective=Objective(RelativisticPairing(Standard()), {}))}, "loss.game=Relativistic"),
        ({"one": member(objective=Objective(Standard(), {}, clip=0.01))}, "loss.clip=0.01"),
        ({"one": member(objective=Objective(Standard(), {}, flip=0.1))}, "loss.flip=0.1"),
        ({"one": member(objective=Objective(Standard(), {}, instance_noise=0.1))}, "loss.instance_noise=0.1"),
        ({"model": small_mlp()}, "dropout"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_name(changes, said):
    one = changes.get("one", member(objective=LOGISTIC))
    model = changes.get("model", small_mlp(dropout=0.0))
    with pytest.raises(ValueError, match=said):
        replace(make_run(4, one, model, **changes.get("trainer", {})), algorithm=SMALL)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"eta": 0.0}, "eta=0.0"),
        ({"num_pushes": 0}, "num_pushes=0"),
        ({"fit_decay": 1.5}, "fit_decay=1.5"),
        ({"max_gap": -1.0}, "max_gap=-1.0"),
        ({"feedback_eta": GapAware()}, "feedback_eta=GapAware"),
    ],
)
def test_wrong_numbers_are_refused_by_their_name(wrong, said):
    with pytest.raises(ValueError, match=said):
        CFG(**wrong)
    with pytest.raises(ValueError, match="decay=0"):
        Breakdown(decay=0.0)
