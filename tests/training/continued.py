"""Runs that continue from the checkpoint of a shorter run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from tests.construct import instantiate
from tests.training.small import make_run, member, small_mlp, written
from tests.training.test_resume import assert_equal_tree, member_of

from gansweep.algorithms.breakdown import Breakdown
from gansweep.algorithms.cfg import CFG
from gansweep.cli.hydra_app import BASE
from gansweep.dynamics.simultaneous import Simultaneous
from gansweep.feedback.gap_aware import GapAware
from gansweep.feedback.plateau import Plateau
from gansweep.losses.objective import Objective
from gansweep.losses.standard import Standard
from gansweep.optimizers.rmsprop import RMSprop
from gansweep.optimizers.sgd import SGD
from gansweep.schedules.step import Step
from gansweep.schedules.warmup import Warmup
from gansweep.training import checkpoint, checkpoint_step, continuation, trainer
from gansweep.training.continuation import Source, obstacle
from gansweep.training.record import Header
from gansweep.training.trainer import Interrupted

SHORT, LONG = 7, 12  # 7 is not a multiple of any interval of `make_run`


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


CONF = Path(__file__).parents[2] / "conf"


def yaml_of(group, name):
    with initialize_config_dir(str(CONF), **BASE):
        return instantiate(compose(overrides=[f"+{group}={name}"])[group])


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


def with_player(run, name, **changes):
    player = replace(getattr(run.member, name), **changes)
    return replace(run, member=replace(run.member, **{name: player}))
