"""Schedules of a configuration: what they multiply, and what is refused."""

from __future__ import annotations

from tests.config.variants import problems_of, with_

from gansweep.config.build import build, check


def test_a_schedule_shorter_than_the_run(default):
    pieces = {"_target_": "gansweep.schedules.piecewise.Piecewise", "pieces": [[1.0, 600], [0.1, 300]]}
    (text,) = problems_of(with_(default, schedule=pieces))
    assert text.startswith("schedule")
    assert "900" in text
    assert "1000" in text
    assert problems_of(with_(default, schedule=pieces, steps=900)) == []
    (text,) = problems_of(with_(default, schedule_d=pieces))
    assert text.startswith("schedule_d")


def test_a_schedule_of_the_penalties_or_the_noise_is_checked_like_any(default):
    pieces = {"_target_": "gansweep.schedules.piecewise.Piecewise", "pieces": [[1.0, 600], [0.1, 300]]}
    noisy = with_(default, loss__instance_noise=0.1)
    for key in ("schedule_penalty", "schedule_noise"):
        (text,) = problems_of(with_(noisy, **{key: pieces}))
        assert text.startswith(key)
        assert "900" in text
        assert "1000" in text
        assert problems_of(with_(noisy, **{key: pieces}, steps=900)) == []
    (text,) = problems_of(with_(default, schedule_penalty=default["optimizer"]))
    assert text.startswith("schedule_penalty._target_")
    assert "is not a Schedule: Adam has no method __call__(step, total_steps), " in text


def test_a_schedule_with_nothing_to_multiply(default):
    linspace = {"_target_": "gansweep.schedules.linspace.Linspace"}
    (text,) = problems_of(with_(default, schedule_penalty=linspace, loss__penalties={}))
    assert text.startswith("schedule_penalty: the loss has no penalties")
    (text,) = problems_of(with_(default, schedule_noise=linspace))
    assert text.startswith("schedule_noise: the loss has instance_noise=0")


def test_a_schedule_of_beta_asks_for_momentum_and_stays_below_one(default):
    linspace = {"_target_": "gansweep.schedules.linspace.Linspace", "end": 0.5}
    sgd = {"_target_": "gansweep.optimizers.sgd.SGD"}
    (text,) = problems_of(with_(default, schedule_beta=linspace, optimizer=sgd))
    assert text.startswith("schedule_beta: SGD(momentum=0.0,")
    assert "has no momentum" in text
    (text,) = problems_of(with_(default, schedule_beta_d=linspace, optimizer_d=sgd))
    assert text.startswith("schedule_beta_d: SGD(")
    (text,) = problems_of(with_(default, schedule_beta=dict(linspace, end=1.5)))
    assert text.startswith("schedule_beta: Linspace(")
    assert "makes a beta of 1.35 of 0.9 in step 999" in text


def test_a_schedule_of_beta_is_both_players_unless_one_has_its_own_or_no_momentum(default):
    linspace = {"_target_": "gansweep.schedules.linspace.Linspace", "end": 0.5}

    def betas(**changes):
        member = build(with_(default, **changes)).member
        return [p.beta_schedule and p.beta_schedule.end for p in (member.generator, member.discriminator)]

    assert betas() == [None, None]
    assert betas(schedule_beta=linspace) == [0.5, 0.5]
    assert betas(schedule_beta=linspace, schedule_beta_d=dict(linspace, end=0.2)) == [0.5, 0.2]
    assert betas(schedule_beta_d=linspace) == [None, 0.5]
    assert betas(schedule_beta=linspace, optimizer_d={"_target_": "gansweep.optimizers.sgd.SGD"}) == [0.5, None]


def test_a_schedule_of_critic_steps_without_effect_after_rounding_is_refused(default):
    linspace = {"_target_": "gansweep.schedules.linspace.Linspace", "end": 0.2}
    (text,) = problems_of(with_(default, schedule_critic=linspace))
    assert text.startswith("schedule_critic=Linspace(")
    assert "has no effect on critic_steps=1" in text
    run = build(with_(default, schedule_critic=linspace, critic_steps=5))
    assert run.critic_schedule.end == 0.2
    assert problems_of(with_(default, schedule_critic={"_target_": "gansweep.schedules.constant.Constant"})) == []


def test_schedules_without_a_choice_are_not_part_of_the_identity(default):
    assert not {"schedule_d", "schedule_penalty", "schedule_noise", "schedule_ema"} & check(default).config.keys()


def test_schedules_of_the_penalties_and_the_noise_reach_the_member(default):
    linspace = {"_target_": "gansweep.schedules.linspace.Linspace", "end": 0.5}
    config = with_(default, schedule_penalty=linspace, schedule_noise=dict(linspace, end=0.0), loss__instance_noise=0.2)
    member = build(config).member
    assert member.penalty_factor(999, 1000) == 0.5
    assert (member.noise(0, 1000), member.noise(999, 1000)) == (0.2, 0.0)
