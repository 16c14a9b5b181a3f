"""Composite functional gradients: a member does not depend on its pack, and continues bit for bit."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tests.algorithms.cfg_packs import BATCH_NORM, SMALL, TINY, alike, pack_of, run_of
from tests.training.small import member, small_mlp

from gansweep.algorithms.breakdown import Breakdown
from gansweep.feedback.plateau import Plateau
from gansweep.losses.objective import Objective
from gansweep.losses.standard import Standard
from gansweep.optimizers.adam import Adam
from gansweep.optimizers.rmsprop import RMSprop
from gansweep.penalties.r1 import R1
from gansweep.penalties.wgan_gp import WGANGP
from gansweep.schedules.cosine import Cosine
from gansweep.schedules.linspace import Linspace
from gansweep.training.trainer import Interrupted, train

R1_MEMBER = member(3, Adam(), 3e-3, Objective(Standard(), {"r1": R1(weight=1.0)}), Cosine())
GP_MEMBER = member(4, RMSprop(), 1e-3, Objective(Standard(), {"gp": WGANGP(weight=1.0)}))
GUARDED = replace(SMALL, guard=Breakdown(enabled=True, window=1, keep_every=1, fit_above=1.0001))
CASTS = {
    "rates, eta and rules": (
        small_mlp(dropout=0.0),
        [
            run_of(),
            run_of(replace(SMALL, eta=2.0, schedule_eta=Linspace()), R1_MEMBER),
            run_of(replace(SMALL, feedback_eta=Plateau(patience=0)), GP_MEMBER),
        ],
    ),
    "batch norm": (BATCH_NORM, [run_of(TINY, steps=3), run_of(replace(TINY, eta=0.1), R1_MEMBER, steps=3)]),
    "pools": (
        small_mlp(dropout=0.0),
        [run_of(replace(SMALL, pool=True)), run_of(replace(SMALL, pool=True, eta=3.0), R1_MEMBER)],
    ),
    "guards": (
        small_mlp(dropout=0.0),
        [run_of(GUARDED, steps=6), run_of(replace(GUARDED, eta=3.0), R1_MEMBER, steps=6)],
    ),
}


def train_with_rising_metric(pack, k):
    """Train to the end with a metric of member k that rises after every stage."""
    for report in pack.steps():
        pack.update_feedback(k, float(report.steps[pack.place[k]]), True)


@pytest.mark.parametrize("cast", CASTS)
def test_a_member_is_the_same_alone_and_in_company_at_any_place(cast):
    model, runs = CASTS[cast]
    runs = [replace(run, model=model) for run in runs]
    for order in (runs, runs[::-1]):
        pack = pack_of(*order)
        for report in pack.steps():
            for k in range(len(order)):
                pack.update_feedback(k, float(report.steps[0]), True)
        for k, run in enumerate(order):
            alone = pack_of(run)
            train_with_rising_metric(alone, 0)
            alike(pack.export(k), alone.export(0))
            assert cast != "guards" or int(alone.guard.returns) > 0
            assert torch.equal(pack.generate(k, 9, "evaluation"), alone.generate(0, 9, "evaluation"))


@pytest.mark.parametrize("cast", CASTS)
def test_a_member_goes_on_bit_for_bit_in_another_pack(cast):
    model, runs = CASTS[cast]
    runs = [replace(run, model=model) for run in runs]
    for run in runs:
        whole, torn = pack_of(run), pack_of(run)
        train_with_rising_metric(whole, 0)
        steps = torn.steps()
        for _ in range(2):
            report = next(steps)
            torn.update_feedback(0, float(report.steps[0]), True)
        other = pack_of(runs[0], run)  # in a pack with a member at its first step
        other.restore(1, torn.export(0))
        assert torch.equal(other.generate(1, 9, "evaluation"), torn.generate(0, 9, "evaluation"))
        train_with_rising_metric(other, 1)
        alike(other.export(1), whole.export(0))


def test_evaluating_changes_nothing():
    for model in (BATCH_NORM, small_mlp(dropout=0.0)):
        looked, alone = pack_of(run_of(TINY, model=model)), pack_of(run_of(TINY, model=model))
        for _ in looked.steps():
            looked.generate(0, 7, "evaluation")
        for _ in alone.steps():
            pass
        alike(looked.export(0), alone.export(0))


@pytest.mark.parametrize("box", [replace(GUARDED, feedback_eta=Plateau(patience=0)), replace(SMALL, pool=True)])
def test_a_run_that_was_stopped_ends_like_one_that_was_not(box, tmp_path):
    run = run_of(box, steps=5)
    run = replace(run, trainer=replace(run.trainer, eval_every=1))
    whole = train(run, tmp_path / "whole")
    asked = iter([False, False, True])
    with pytest.raises(Interrupted):
        train(run, tmp_path / "torn", stop=lambda: next(asked))
    torn = train(run, tmp_path / "torn")
    assert torn["metric"] == whole["metric"]
    assert torn["curves"] == whole["curves"]
    one, other = (torch.load(tmp_path / name / "checkpoint.pt", weights_only=True) for name in ("torn", "whole"))
    alike(one["member"], other["member"])
    assert set(whole["curves"][-1]) == {"step", "discriminator_loss", "approximator_loss"}
