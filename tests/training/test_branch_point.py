"""A run that begins with the state of another one, where their schedules differ first, ends as if it had not."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
from tests.training.small import MeanDistance, make_run, member, small_mlp, written
from tests.training.test_continuation import comparable
from tests.training.test_resume import assert_equal_tree, member_of

from gansweep.algorithms.adversarial import Adversarial
from gansweep.feedback.plateau import Plateau
from gansweep.interfaces import Schedule
from gansweep.losses.objective import Objective
from gansweep.losses.standard import Standard
from gansweep.optimizers.sgd import SGD
from gansweep.penalties.r1 import R1
from gansweep.schedules.constant import Constant
from gansweep.schedules.cosine import Cosine
from gansweep.schedules.inverse_sqrt import InverseSqrt
from gansweep.schedules.linspace import Linspace
from gansweep.schedules.per_epoch import PerEpoch
from gansweep.schedules.piecewise import Piecewise
from gansweep.schedules.step import Step
from gansweep.schedules.warmup import Warmup
from gansweep.schedules.wsd import WSD
from gansweep.training import branch_point, continuation
from gansweep.training.continuation import CHUNK, SharedSteps, Source, obstacle
from gansweep.training.record import Header
from gansweep.training.session import TrainingSession
from gansweep.training.trainer import train_together

NUM_PAIRS, NUM_FAST = 200, 3
KINDS = ("schedule", "schedule_d", "beta", "beta_d", "penalty", "noise", "ema", "critic")


def random_schedule(draw: random.Random, steps: int):
    """Return a schedule for a run of `steps`; many of them have the same first values."""
    late = draw.randint(1, steps) if draw.random() < 0.4 else draw.randint(3 * steps // 4, steps)
    late = min(late, steps - 1)
    kinds = [
        Constant,
        Cosine,
        lambda: Linspace(1.0, draw.choice([0.0, 0.5])),
        lambda: Step(gamma=0.5, period=late),
        lambda: Piecewise([[1.0, late], [draw.choice([0.1, 1.0]), steps - late]]),
        lambda: WSD(warmup=0, cooldown=steps - late),
        lambda: Warmup(
            length=draw.choice([3, 5]), after=draw.choice([Constant(), Step(period=draw.randint(1, steps))])
        ),
        lambda: InverseSqrt(warmup=draw.choice([3, 5])),
        lambda: PerEpoch(of=draw.choice([Linspace(), Cosine()]), epochs=draw.choice([2, 3])),
    ]
    return draw.choice(kinds)()


def run_of(schedules: dict, steps: int):
    """Return a run with a schedule of each kind."""
    objective = Objective(Standard(), {"r1": R1(weight=1.0)}, instance_noise=0.1)
    one = member(1, SGD(momentum=0.5), objective=objective, ema=0.9, steps=steps)
    generator = replace(one.generator, schedule=schedules["schedule"], beta_schedule=schedules["beta"])
    discriminator = replace(one.discriminator, schedule=schedules["schedule_d"], beta_schedule=schedules["beta_d"])
    one = replace(
        one,
        generator=generator,
        discriminator=discriminator,
        penalty_schedule=schedules["penalty"],
        noise_schedule=schedules["noise"],
        ema_schedule=schedules["ema"],
    )
    run = make_run(
        steps,
        one,
        small_mlp(generator_widths=(6,), discriminator_widths=(6,)),
        eval_every=7,
        tensorboard=False,
        sample_every=40,
    )
    return replace(run, critic_steps=2, critic_schedule=schedules["critic"])


def random_pair(number: int, longest: int):
    """Return two runs with their numbers of steps and schedules by kind."""
    draw = random.Random(number)
    steps = draw.randint(longest // 2, longest)
    others = draw.choice([steps, steps, draw.randint(longest // 2, longest)])
    chosen = ["schedule", "schedule_d", *(kind for kind in KINDS[2:] if draw.random() < 0.3)]
    first = {kind: random_schedule(draw, min(steps, others)) if kind in chosen else None for kind in KINDS}
    first = {kind: fitting(schedule, steps) for kind, schedule in first.items()}
    second = {kind: fitting(schedule, others) for kind, schedule in first.items()}
    for kind in draw.sample(chosen if draw.random() < 0.9 else KINDS, draw.choice([1, 2])):
        second[kind] = random_schedule(draw, others)
    return (steps, first), (others, second)


def fitting(schedule, steps):
    """Return a schedule, lengthened if it is defined for a number of steps only."""
    if isinstance(schedule, Piecewise):
        (value, length), (last, _) = schedule.pieces
        return Piecewise([[value, length], [last, steps - length]])
    return schedule


def brute_force(first: dict, steps: int, second: dict, others: int) -> int:
    """Return the number of first steps in which all schedules have the same values."""
    for n in range(min(steps, others)):
        for kind in KINDS:
            one, other = first[kind], second[kind]
            if (one is None) != (other is None) or (one is not None and one(n, steps) != other(n, others)):
                return n
    return min(steps, others)


def test_the_shared_prefix_of_200_random_pairs():
    lengths = []
    for number in range(NUM_PAIRS):
        shared = SharedSteps()
        (steps, first), (others, second) = random_pair(number, 2 * CHUNK)
        expected = brute_force(first, steps, second, others)
        run, other = run_of(first, steps), run_of(second, others)
        assert shared(run, other) == shared(other, run) == expected, number
        lengths.append(expected)
    assert sum(length == 0 for length in lengths) > 10
    assert sum(0 < length <= CHUNK for length in lengths) > 10
    assert sum(length > CHUNK for length in lengths) > 10


@pytest.mark.parametrize(
    "number", [*range(NUM_FAST), *(pytest.param(n, marks=pytest.mark.slow) for n in range(NUM_FAST, NUM_PAIRS))]
)
def test_random_pairs_have_the_same_bits_with_and_without_a_branch(number, tmp_path):
    (steps, first), (others, second) = random_pair(number, 40)
    run, trunk = run_of(second, others), run_of(first, steps)
    step = min(SharedSteps()(run, trunk), steps - 1, others - 1)
    if step == 0:
        run = trunk  # of a pair without a common step, the first run branches from itself
        step = steps // 2
    check(run, trunk, step, tmp_path)


def header_of(name: str) -> Header:
    return Header({"name": name, "hash": name, "overrides": {}}, {}, {"config": {"name": name}})


def train(run, directory, branch_steps=()):
    session = TrainingSession(run, directory, header=header_of("run" if directory.name != "trunk" else "trunk"))
    session.branch_steps = branch_steps
    train_together([session])
    assert session.error is None, session.error
    return session.finalize()


def check(run, trunk, step, tmp_path):
    """Train the trunk, and the run from its branch point; compare with trainings without a branch."""
    expected, alone = train(run, tmp_path / "straight" / "run"), train(trunk, tmp_path / "straight" / "trunk")
    assert comparable(train(trunk, tmp_path / "trunk", (step,))) == comparable(alone)
    assert_equal_tree(member_of(tmp_path / "trunk"), member_of(tmp_path / "straight" / "trunk"))
    source = Source(tmp_path / "trunk", header_of("trunk").identity, "1" * 64, step, is_branch_point=True)
    continuation.begin(source, run, header_of("run").identity, tmp_path / "run", lambda: None)
    record = train(run, tmp_path / "run")
    assert comparable(record) == comparable(expected)
    about = {"sweep": tmp_path.name, "cell": "trunk", "hash": "1" * 64, "step": step}
    assert written(tmp_path / "run")["continued"] == about
    assert_equal_tree(member_of(tmp_path / "run"), member_of(tmp_path / "straight" / "run"))
    return record


FEEDBACK = replace(member(3), generator=replace(member().generator, feedback=Plateau(patience=0, threshold=0.9)))


@pytest.mark.parametrize(
    "trainer",
    [
        {"eval_every": 3},  # the branch point is at an evaluation
        {"eval_every": 5, "keep": "best"},
        {"eval_every": 3, "keep": "all"},
        {"diagnose_every": 4},
        {"sample_every": 3, "checkpoint_every": 3, "log_every": 3},
    ],
    ids=str,
)
def test_outputs(trainer, tmp_path):
    trunk = make_run(16, replace(FEEDBACK, generator=replace(FEEDBACK.generator, schedule=Step(gamma=0.5, period=9))))
    trunk = replace(trunk, trainer=replace(trunk.trainer, **trainer), eval_seeds=2)
    run = replace(trunk, member=replace(FEEDBACK, steps=14))
    check(run, trunk, 9, tmp_path)
    for part in ("samples", "weights"):
        names = [sorted(path.name for path in (tmp_path / at / part).glob("*")) for at in ("run", "straight/run")]
        assert names[0] == names[1]


def test_a_weight_file_that_the_trunk_deletes_is_kept_for_the_branch(tmp_path):
    """With trainer.keep=best the trunk deletes its best weights so far when it finds better ones."""

    class Falling(MeanDistance):
        values: ClassVar[Iterator[float]] = iter(())

        def __call__(self, data, fake):
            return next(Falling.values)

    trunk = make_run(12, member(1), metric=Falling(), eval_every=3, keep="best", checkpoint_every=3)
    Falling.values = iter([9.0, 5.0, 5.0, 6.0, 4.0, 4.0, 7.0])  # with a holdout value of each best one
    train(trunk, tmp_path / "trunk", (7,))
    assert [path.name for path in (tmp_path / "trunk/weights").iterdir()] == ["step_0000009.pt"]
    source = Source(tmp_path / "trunk", header_of("trunk").identity, "1" * 64, 7, is_branch_point=True)
    continuation.begin(source, trunk, header_of("run").identity, tmp_path / "run", lambda: None)
    Falling.values = iter([8.0, 8.0])
    train(trunk, tmp_path / "run")
    assert [path.name for path in (tmp_path / "run/weights").iterdir()] == ["step_0000003.pt"]


def test_no_branch_point_of_a_diverged_run(tmp_path):
    objective = Objective(Standard(), {})
    run = make_run(12, member(1, SGD(), lr=1e30, objective=objective), check_every=6)
    record = train(run, tmp_path / "trunk", (4,))
    assert record["state"] == "diverged"
    assert record["divergence"]["step"] <= 4
    assert not branch_point.path_of(tmp_path / "trunk", 4).exists()


def test_a_pack_is_refilled_at_a_branch_point(tmp_path):
    trunk = make_run(12, member(1))
    run = replace(trunk, member=replace(trunk.member, generator=replace(member().generator, schedule=Step(period=5))))
    expected = [train(one, tmp_path / f"straight{n}" / "run") for n, one in enumerate((trunk, run))]
    first = TrainingSession(trunk, tmp_path / "trunk", header=header_of("trunk"))
    first.branch_steps, steps, records = (5,), [], {}

    def refill(free):
        steps.append((free, first.step))
        if len(steps) > 1:
            return []
        source = Source(tmp_path / "trunk", header_of("trunk").identity, "1" * 64, 5, is_branch_point=True)
        continuation.begin(source, run, header_of("run").identity, tmp_path / "run", lambda: None)
        return [TrainingSession(run, tmp_path / "run", header=header_of("run"))]

    train_together([first], refill=refill, ended=lambda s: records.update({s.directory.name: s.finalize()}), places=2)
    assert steps[0] == (1, 5)
    assert records["run"]["pack"]["members"] == 2
    for name, record in zip(("trunk", "run"), expected, strict=True):
        assert comparable(records[name]) == comparable(record) | {"cell": records[name]["cell"]} | {
            key: records[name][key] for key in ("identity",)
        }


@dataclass(frozen=True)
class WithOptionalSchedule(Adversarial):
    schedule_eta: Schedule | None = None


def test_a_schedule_that_only_one_of_the_runs_has_is_an_obstacle():
    """Optional schedules of an algorithm are not listed where they are not set."""
    run = replace(make_run(), metric=None, algorithm=WithOptionalSchedule(schedule_eta=Step(period=3)))
    without = replace(run, algorithm=WithOptionalSchedule())
    assert obstacle(run, without, 5, []).startswith("algorithm.schedule_eta=Step(")
    assert obstacle(without, run, 5, []).startswith("algorithm.schedule_eta=None differs in step 0")
    assert SharedSteps()(run, without) == SharedSteps()(without, run) == 0
