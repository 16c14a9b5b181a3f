"""Scheduled values of every member at every step."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tests.training.small import Shapes, member, small_mlp

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.batched import scheduled
from gansweep.batched.pack import PackSettings
from gansweep.batched.scheduled import Scheduled
from gansweep.penalties.r1 import R1
from gansweep.schedules.linspace import Linspace


def test_members_at_different_steps_have_their_own_values(monkeypatch):
    """Beyond the block that is copied at once, and beyond a member's last step."""
    monkeypatch.setattr(scheduled, "SCHEDULED_STEPS", 3)
    one = Scheduled([lambda step, total: step / total, lambda step, total: 10 * step / total], torch.device("cpu"))
    now = one.now
    for n in range(8):
        one.set([n, n + 2], [10, 9])
        assert now.flatten().tolist() == pytest.approx([n / 10, 10 * min(n + 2, 8) / 9])
    one.set([1, 2], [10, 9])  # a member was exchanged
    assert now.flatten().tolist() == pytest.approx([0.1, 20 / 9])


def test_the_running_average_follows_its_schedule():
    members = [replace(member(seed, ema=0.8, ema_schedule=Linspace(1.0, 0.0)), steps=4) for seed in (1, 2)]
    members.append(replace(member(3), steps=4))
    pack = AdversarialPack(members, small_mlp(), Shapes().samples, PackSettings(batch_size=10), critic_steps=1)
    average = pack.g.theta
    for step, _ in enumerate(pack.steps()):
        weight = torch.tensor([0.2 * (1 - step / 3)] * 2 + [1.0])[torch.tensor(pack.place).argsort()][:, None]
        average = average + weight * (pack.g.theta - average)
        torch.testing.assert_close(torch.cat(pack.ema, 1), average, rtol=1e-5, atol=1e-6)
    assert "ema" not in pack.export(2)


def test_only_scheduled_settings_are_in_the_curves():
    """Each in the unit of its setting: weight, standard deviation, decay, beta, critic steps."""
    half = Linspace(1.0, 0.5)
    one = member(1, ema=0.9, ema_schedule=half, penalty_schedule=half, noise_schedule=half)
    player = replace(one.generator, beta_schedule=half)
    noisy = replace(one.objective, instance_noise=0.2, penalties={"r1": R1(weight=3.0)})
    one = replace(one, objective=noisy, generator=player, steps=3)
    pack = AdversarialPack(
        [replace(member(2), steps=3), one],
        small_mlp(),
        Shapes().samples,
        PackSettings(batch_size=10),
        critic_steps=4,
        critic_schedule=half,
    )
    *_, last = pack.steps()
    drawn = {tag: value.item() for tag, value in pack.curves(last, 1).items() if tag.startswith("schedule/")}
    assert drawn == pytest.approx(
        {
            "schedule/weight of r1": 1.5,
            "schedule/instance noise": 0.1,
            "schedule/decay of the average": 0.95,
            "schedule/beta of the generator": 0.45,
            "schedule/critic steps": 2.0,
        }
    )
    assert {tag for tag in pack.curves(last, 0) if tag.startswith("schedule/")} == {"schedule/critic steps"}
