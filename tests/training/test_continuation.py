"""A run that continues a shorter one ends exactly like one that was not interrupted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from tests.algorithms.small_coopnets import TINY as COOPNETS
from tests.algorithms.small_coopnets import member as coopnets_member
from tests.algorithms.small_coopnets import patches
from tests.construct import instantiate
from tests.training.small import Shapes, make_run, member, small_mlp, written
from tests.training.test_resume import assert_equal_tree, member_of, scalars

from gansweep.algorithms.breakdown import Breakdown
from gansweep.algorithms.cfg import CFG
from gansweep.algorithms.coopnets import CoopNets
from gansweep.cli.hydra_app import BASE
from gansweep.dynamics.simultaneous import Simultaneous
from gansweep.feedback.gap_aware import GapAware
from gansweep.feedback.plateau import Plateau
from gansweep.losses.objective import Objective
from gansweep.losses.standard import Standard
from gansweep.optimizers.rmsprop import RMSprop
from gansweep.optimizers.sgd import SGD
from gansweep.schedules.constant import Constant
from gansweep.schedules.cosine import Cosine
from gansweep.schedules.equal_area import EqualArea
from gansweep.schedules.linspace import Linspace
from gansweep.schedules.piecewise import Piecewise
from gansweep.schedules.step import Step
from gansweep.schedules.warmup import Warmup
from gansweep.training import checkpoint, checkpoint_step, continuation, trainer
from gansweep.training.continuation import Source, obstacle
from gansweep.training.record import Header
from gansweep.training.session import TrainingSession
from gansweep.training.trainer import Interrupted, train_together

CONF = Path(__file__).parents[2] / "conf"
SHORT, LONG = 7, 12  # 7 is no multiple of any interval of `make_run`


def lengthened(run, steps=LONG, **changes):
    """Return a run with more steps, and other settings of the trainer."""
    changed = replace(run, member=replace(run.member, steps=steps))
    return replace(changed, trainer=replace(run.trainer, **changes))


def header_of(run):
    """Return the header of a run, whose identity tells the runs of a test apart."""
    identity = {"config": {"steps": run.steps, "trainer": {"eval_every": run.trainer.eval_every}}}
    return Header({"name": "small", "hash": "0" * 8, "overrides": {}}, {}, identity)


def train(run, directory, **more):
    return trainer.train(run, directory, header=header_of(run), **more)


def begin(given, run, directory):
    continuation.begin(given, run, header_of(run).identity, directory, lambda: None)


def source(run, directory):
    step = checkpoint_step.read(directory)
    assert step is not None
    return Source(directory, header_of(run).identity, "1" * 64, step)


def reason(run, longer, directory):
    content = checkpoint_step.plain_values(directory / checkpoint.NAME)
    return obstacle(longer, run, checkpoint_step.step_of(content), content["evaluations"])


def continued(run, longer, directory, folder):
    """Train the longer run from the checkpoint of the shorter one in `directory`; return its record."""
    assert reason(run, longer, directory) == ""
    begin(source(run, directory), longer, folder)
    return train(longer, folder)


def comparable(record):
    left_out = ("time", "continued", "versions", "pack")
    return {key: value for key, value in record.items() if key not in left_out}


def check(run, longer, tmp_path, interrupt=None):
    """Train the shorter run, then the longer one from its checkpoint, and compare with an uninterrupted training."""
    expected = train(longer, tmp_path / "straight")
    if interrupt is None:
        train(run, tmp_path / "short")
    else:
        with pytest.raises(Interrupted):
            train(run, tmp_path / "short", stop=iter([False] * (interrupt - 1) + [True]).__next__)
    record = continued(run, longer, tmp_path / "short", tmp_path / "longer")
    assert comparable(record) == comparable(expected)
    assert record["continued"]["step"] == source(run, tmp_path / "short").step
    assert written(tmp_path / "longer")["continued"] == {
        "sweep": tmp_path.name,
        "cell": "short",
        "hash": "1" * 64,
        "step": record["continued"]["step"],
    }
    assert_equal_tree(member_of(tmp_path / "longer"), member_of(tmp_path / "straight"))
    return record


def yaml_of(group, name):
    with initialize_config_dir(str(CONF), **BASE):
        return instantiate(compose(overrides=[f"+{group}={name}"])[group])


@pytest.mark.parametrize("name", sorted(path.stem for path in (CONF / "optimizer").glob("*.yaml")))
def test_every_optimizer(name, tmp_path):
    run = make_run(SHORT, member(1, yaml_of("optimizer", name), ema=0.9), small_mlp(generator_widths=(8,)))
    check(run, lengthened(run), tmp_path)


GAME = Objective(Standard(), {}, flip=0.2, instance_noise=0.1)
WARM = Warmup(length=3, after=Step(gamma=0.5, period=4))
RUNS = {
    "schedules of everything": make_run(
        SHORT,
        member(
            2,
            SGD(momentum=0.9),
            schedule=WARM,
            noise_schedule=Step(gamma=0.5, period=2),
            ema=0.9,
            ema_schedule=WARM,
            penalty_schedule=Step(gamma=2.0, period=3),
            objective=replace(GAME, penalties=member().objective.penalties),
        ),
    ),
    "feedback that monitors the metric": make_run(
        SHORT,
        replace(member(3), generator=replace(member().generator, feedback=Plateau(patience=0, threshold=0.9))),
        eval_every=1,
    ),
    "feedback that monitors the game": make_run(
        SHORT, replace(member(3), discriminator=replace(member().discriminator, feedback=GapAware()))
    ),
    "joint dynamics": replace(make_run(SHORT, member(4)), dynamics=Simultaneous()),
    "cfg": replace(
        make_run(SHORT, member(1, RMSprop(), objective=Objective(Standard(), {})), small_mlp(dropout=0.0)),
        algorithm=CFG(
            num_pushes=2,
            num_pairs=15,
            fit_epochs=2,
            guard=Breakdown(enabled=True, window=1, keep_every=1, fit_above=1.0001),
            feedback_eta=Plateau(patience=0),
            schedule_eta=Step(gamma=0.5, period=3),
        ),
    ),
}


@pytest.mark.parametrize("name", RUNS)
def test_schedules_feedback_and_algorithms(name, tmp_path):
    check(RUNS[name], lengthened(RUNS[name]), tmp_path)


@pytest.mark.parametrize("gamma", [0.5, 2.0])  # 2: a step of the longer run has more updates than any of the shorter
def test_beta_schedule_and_critic_schedule(gamma, tmp_path):
    player = replace(member(rule=SGD(momentum=0.5)).generator, beta_schedule=Step(gamma=0.5, period=3))
    one = replace(member(5), generator=player, discriminator=player)
    run = replace(make_run(SHORT, one), critic_steps=3, critic_schedule=Step(gamma=gamma, period=5))
    check(run, lengthened(run), tmp_path)


def test_coopnets(tmp_path):
    data = Shapes(sample_shape=(3, 12, 12))
    data.__dict__["samples"] = patches()
    one = replace(coopnets_member(1), steps=SHORT)
    run = replace(make_run(SHORT, one, COOPNETS), data=data, algorithm=CoopNets(langevin_steps=3), batch_size=6)
    check(run, lengthened(run), tmp_path)


def test_an_interrupted_run_can_be_continued_too(tmp_path):
    run = RUNS["schedules of everything"]
    check(run, lengthened(run), tmp_path, interrupt=5)


def test_a_divergence_is_reached_again(tmp_path):
    """A run that diverged has the checkpoint before; a longer run diverges in the same step."""
    one = member(1, SGD(), schedule=Step(gamma=1e8, period=3), objective=Objective(Standard(), {}))
    run = make_run(SHORT, one, checkpoint_every=1, check_every=1)
    record = check(run, lengthened(run), tmp_path)
    assert record["state"] == "diverged"
    assert 3 < record["divergence"]["step"] <= SHORT
    assert record["continued"]["step"] == record["divergence"]["step"] - 1


def test_the_count_of_stuck_checks_is_that_of_the_longer_run(tmp_path, monkeypatch):
    """The check after the last step is not one of the regular ones, which a longer run counts."""
    monkeypatch.setattr("gansweep.batched.divergence.CONSTANT_BELOW", 1e9)
    run = make_run(SHORT, member(1), check_every=5, patience=3)
    assert train(run, tmp_path / "short")["state"] == "completed"
    assert member_of(tmp_path / "short")["watch"]["strikes"].tolist() == [1, 0]
    record = check(run, lengthened(run, steps=16), tmp_path)
    assert record["divergence"]["step"] == 15
    at_the_end = train(lengthened(run, steps=11, patience=3), tmp_path / "odd")
    assert at_the_end["divergence"]["step"] == 11


def test_several_members_continue_from_different_steps(tmp_path):
    runs = [RUNS["schedules of everything"], make_run(4, member(7))]
    longer = [lengthened(run) for run in runs]
    sessions = []
    for n, (run, more) in enumerate(zip(runs, longer, strict=True)):
        train(run, tmp_path / f"short{n}")
        train(more, tmp_path / f"straight{n}")
        begin(source(run, tmp_path / f"short{n}"), more, tmp_path / f"long{n}")
        sessions.append(TrainingSession(more, tmp_path / f"long{n}", header=header_of(more)))
    train_together(sessions)
    for n, session in enumerate(sessions):
        record = session.finalize()
        assert comparable(record) == comparable(written(tmp_path / f"straight{n}"))
        assert_equal_tree(member_of(tmp_path / f"long{n}"), member_of(tmp_path / f"straight{n}"))


def test_killed_right_after_it_began(tmp_path):
    """The evaluation of the first step is completed again, and the feedback is updated once."""
    run = RUNS["feedback that monitors the metric"]
    longer = lengthened(run)
    train(run, tmp_path / "short")
    expected = train(longer, tmp_path / "straight")
    begin(source(run, tmp_path / "short"), longer, tmp_path / "longer")
    for at in (1, 2):
        with pytest.raises(Interrupted):
            train(longer, tmp_path / "longer", stop=iter([False] * (at - 1) + [True]).__next__)
    record = train(longer, tmp_path / "longer")
    assert comparable(record) == comparable(expected)


# --- other evaluation steps ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("every", [2, 4, 6, 12])
def test_fewer_evaluations_need_no_training(every, tmp_path):
    run = make_run(LONG, member(2, lr=1e-2), eval_every=2)
    train(run, tmp_path / "short")
    fewer = lengthened(run, eval_every=every)
    assert reason(run, fewer, tmp_path / "short") == ""
    begin(source(run, tmp_path / "short"), fewer, tmp_path / "longer")
    steps = []
    record = train(fewer, tmp_path / "longer", progress=lambda step, *_: steps.append(step))
    assert steps == []
    assert comparable(record) == comparable(train(fewer, tmp_path / "straight"))


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


# --- schedules ----------------------------------------------------------------------------------------------------


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


def with_player(run, name, **changes):
    player = replace(getattr(run.member, name), **changes)
    return replace(run, member=replace(run.member, **{name: player}))


def test_a_schedule_may_be_extended(tmp_path):
    """Another schedule with the same values so far: constant for 7 steps, then a tenth."""
    run = make_run(SHORT, member(3, schedule=Constant()))
    tenth = Piecewise([[1.0, SHORT], [0.1, LONG - SHORT]])
    longer = lengthened(with_player(with_player(run, "generator", schedule=tenth), "discriminator", schedule=tenth))
    check(run, longer, tmp_path)
    assert obstacle(lengthened(with_player(run, "generator", schedule=EqualArea(tenth))), run, SHORT, [])
    assert obstacle(with_player(lengthened(run), "generator", schedule=Cosine()), run, SHORT, []).startswith(
        "schedule="
    )


# --- files --------------------------------------------------------------------------------------------------------


def test_pictures_and_curves_come_along(tmp_path):
    run = RUNS["schedules of everything"]
    check(run, lengthened(run), tmp_path)
    for picture in (tmp_path / "straight/samples").iterdir():
        assert picture.read_bytes() == (tmp_path / "longer/samples" / picture.name).read_bytes()
    expected, found = scalars(tmp_path / "straight"), scalars(tmp_path / "longer")
    assert expected.keys() == found.keys()
    for tag, points in expected.items():  # the shorter run has a point at its end too
        assert [point for point in found[tag] if point[0] != SHORT or point in points] == points


def test_the_source_is_not_changed(tmp_path):
    run = make_run(SHORT, member(1))
    train(run, tmp_path / "short")
    before = {path: path.read_bytes() for path in (tmp_path / "short").rglob("*") if path.is_file()}
    continued(run, lengthened(run), tmp_path / "short", tmp_path / "longer")
    assert {path: path.read_bytes() for path in (tmp_path / "short").rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("damage", ["missing", "damaged", "other identity", "other step", "edited", "other member"])
def test_a_source_that_changed_in_the_meantime(damage, tmp_path, caplog):
    run = make_run(SHORT, member(1))
    longer = lengthened(run)
    train(run, tmp_path / "short")
    given = source(run, tmp_path / "short")
    file = tmp_path / "short" / checkpoint.NAME
    if damage == "missing":
        file.unlink()
    elif damage == "damaged":
        file.write_bytes(file.read_bytes()[:-300])
    elif damage == "other identity":
        given = replace(given, identity={"config": {"steps": 3}})
    elif damage == "edited":
        content = torch.load(file, weights_only=True)
        content["member"]["generator"]["theta"][0] += 1
        torch.save(content, file)
    elif damage == "other member":
        given = replace(given, member="0" * 16)
    else:
        given = replace(given, step=3)
    begin(given, longer, tmp_path / "longer")
    assert "training from the first step" in caplog.text
    record = train(longer, tmp_path / "longer")
    assert "continued" not in record
    assert comparable(record) == comparable(train(longer, tmp_path / "straight"))


def test_the_own_checkpoint_takes_precedence(tmp_path):
    run = make_run(SHORT, member(1))
    longer = lengthened(run)
    train(run, tmp_path / "short")
    with pytest.raises(Interrupted):
        train(longer, tmp_path / "longer", stop=lambda: True)
    begin(source(run, tmp_path / "short"), longer, tmp_path / "longer")
    assert checkpoint_step.read(tmp_path / "longer") == 1


def test_the_checkpoint_of_a_continued_run_is_its_own(tmp_path):
    run = make_run(SHORT, member(1))
    train(run, tmp_path / "short")
    longer = lengthened(run)
    begin(source(run, tmp_path / "short"), longer, tmp_path / "longer")
    content = checkpoint.read(tmp_path / "longer" / checkpoint.NAME)
    assert json.loads(content["identity"]) == header_of(longer).identity
