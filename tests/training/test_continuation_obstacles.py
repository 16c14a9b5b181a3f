"""Differences that prevent a run from continuing from the checkpoint of another one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.training.continued import (
    CONF,
    LONG,
    RUNS,
    SHORT,
    lengthened,
    reason,
    train,
    with_player,
    yaml_of,
)
from tests.training.small import make_run, member

from gansweep.optimizers.sgd import SGD
from gansweep.schedules.linspace import Linspace
from gansweep.schedules.step import Step
from gansweep.training.continuation import obstacle


def test_missing_evaluations_are_an_obstacle(tmp_path):
    run = make_run(SHORT, member(2), eval_every=4)
    train(run, tmp_path / "short")
    more = reason(run, lengthened(run, eval_every=3), tmp_path / "short")
    assert more == "trainer.eval_every=3: step 3 was not evaluated"
    at = reason(run, lengthened(run, eval_at=[5]), tmp_path / "short")
    assert at.endswith("step 5 was not evaluated")
    assert reason(run, lengthened(run, eval_at=[9], eval_every=100), tmp_path / "short") == ""


def test_a_best_value_without_holdout_is_an_obstacle():
    run = make_run(LONG, eval_every=4)
    fewer = lengthened(run, steps=20, eval_every=6)

    def evaluations(last, **best):
        values = {0: 9.0, 4: 2.0, 6: 3.0, 8: 2.5, 12: last}
        return [{"step": n, "value": value} | (best if n == 6 else {}) for n, value in values.items()]

    assert obstacle(fewer, run, 12, evaluations(3.1)).endswith("the best value, of step 6, has no holdout value")
    assert obstacle(fewer, run, 12, evaluations(3.1, apart=3.3)) == ""
    assert obstacle(fewer, run, 12, evaluations(2.9)) == ""  # that of the last step is measured when the run continues


def test_feedback_at_other_evaluations_is_an_obstacle():
    run = RUNS["feedback that monitors the metric"]
    evaluations = [{"step": step, "value": 9.0 - step, "apart": 1.0} for step in range(SHORT + 1)]
    assert obstacle(lengthened(run), run, SHORT, evaluations) == ""
    fewer = obstacle(lengthened(run, eval_every=2), run, SHORT, evaluations)
    assert fewer == "trainer.eval_every=2: the feedback has monitored the metric at other steps"


@pytest.mark.parametrize("name", sorted(path.stem for path in (CONF / "schedule").glob("*.yaml")))
def test_a_schedule_is_an_obstacle_where_its_values_differ(name):
    schedule = yaml_of("schedule", name)
    for short, long in ((40, 80), (1000, 2000)):
        run = make_run(short, member(schedule=schedule))
        same = bool(np.array_equal(schedule.values(short), schedule.values(long)[:short]))
        answer = obstacle(lengthened(run, long), run, short, [{"step": 0, "value": 1.0}] if run.metric is None else [])
        assert answer.startswith("schedule=") is not same


def test_every_schedule_is_compared():
    absolute, relative = Step(gamma=0.5, period=3), Linspace()
    plain = replace(
        member(rule=SGD(momentum=0.5), schedule=absolute),
        penalty_schedule=absolute,
        noise_schedule=absolute,
        ema_schedule=absolute,
    )
    beta = replace(plain.generator, beta_schedule=absolute)
    run = replace(
        make_run(SHORT, replace(plain, generator=beta, discriminator=beta)),
        metric=None,
        critic_steps=4,
        critic_schedule=absolute,
    )
    assert obstacle(lengthened(run), run, SHORT, []) == ""
    changed = {
        "schedule": with_player(run, "generator", schedule=relative),
        "schedule_d": with_player(run, "discriminator", schedule=relative),
        "schedule_beta": with_player(run, "generator", beta_schedule=relative),
        "schedule_beta_d": with_player(run, "discriminator", beta_schedule=relative),
        "schedule_penalty": replace(run, member=replace(run.member, penalty_schedule=relative)),
        "schedule_noise": replace(run, member=replace(run.member, noise_schedule=relative)),
        "schedule_ema": replace(run, member=replace(run.member, ema_schedule=relative)),
        "schedule_critic": replace(run, critic_schedule=relative),
    }
    for name, other in changed.items():
        assert obstacle(lengthened(other), other, SHORT, []).startswith(f"{name}=Linspace(")
        assert obstacle(lengthened(run), other, SHORT, []).startswith(f"{name}=Step(")
    algorithm = replace(RUNS["cfg"].algorithm, schedule_eta=relative, feedback_eta=None)
    relative_eta = replace(RUNS["cfg"], metric=None, algorithm=algorithm)
    assert obstacle(lengthened(relative_eta), relative_eta, SHORT, []).startswith("algorithm.schedule_eta=Linspace(")
