"""A run that continues a shorter one ends exactly like one that was not interrupted."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from tests.algorithms.small_coopnets import TINY as COOPNETS
from tests.algorithms.small_coopnets import member as coopnets_member
from tests.algorithms.small_coopnets import patches
from tests.training.continued import (
    CONF,
    LONG,
    RUNS,
    SHORT,
    begin,
    check,
    comparable,
    continued,
    header_of,
    lengthened,
    reason,
    source,
    train,
    with_player,
    yaml_of,
)
from tests.training.small import Shapes, make_run, member, small_mlp, written
from tests.training.test_resume import assert_equal_tree, member_of, scalars

from gansweep.algorithms.coopnets import CoopNets
from gansweep.losses.objective import Objective
from gansweep.losses.standard import Standard
from gansweep.optimizers.sgd import SGD
from gansweep.schedules.constant import Constant
from gansweep.schedules.cosine import Cosine
from gansweep.schedules.equal_area import EqualArea
from gansweep.schedules.piecewise import Piecewise
from gansweep.schedules.step import Step
from gansweep.training import checkpoint, checkpoint_step
from gansweep.training.continuation import obstacle
from gansweep.training.session import TrainingSession
from gansweep.training.trainer import Interrupted, train_together


@pytest.mark.parametrize("name", sorted(path.stem for path in (CONF / "optimizer").glob("*.yaml")))
def test_every_optimizer(name, tmp_path):
    run = make_run(SHORT, member(1, yaml_of("optimizer", name), ema=0.9), small_mlp(generator_widths=(8,)))
    check(run, lengthened(run), tmp_path)


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


# --- schedules ----------------------------------------------------------------------------------------------------


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
