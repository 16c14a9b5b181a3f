"""Packs whose members leave and enter: all files equal those of solo runs."""

from __future__ import annotations

import pytest
from tests.training.small import MeanDistance, make_run, member, written
from tests.training.test_resume import assert_equal_tree, member_of, scalars

from gansweep.losses.objective import Objective
from gansweep.losses.standard import Standard
from gansweep.losses.wasserstein import Wasserstein
from gansweep.optimizers.rmsprop import RMSprop
from gansweep.optimizers.sgd import SGD
from gansweep.penalties.r1 import R1
from gansweep.penalties.r2 import R2
from gansweep.penalties.wgan_gp import WGANGP
from gansweep.training import checkpoint
from gansweep.training.session import TrainingSession
from gansweep.training.trainer import Interrupted, train, train_together

GP = Objective(Wasserstein(), {"gp": WGANGP(weight=10.0)})
BOTH = Objective(Standard(), {"r1": R1(weight=1.0), "r2": R2(weight=1.0)})
CAST = {
    "plain": make_run(12, member(1)),
    "short": make_run(7, member(2, RMSprop(), objective=GP)),
    "diverging": make_run(12, member(3, SGD(), 1e8, GP)),
    "two_penalties": make_run(9, member(4, SGD(momentum=0.5), objective=BOTH, ema=0.9)),
    "like_plain": make_run(12, member(5)),
}


QUIET = {"tensorboard": False, "sample_every": 99}
# Twenty of four lengths: in every packing some leave early and others take their places.
CROWD = {
    f"seed {n}": make_run(
        3 + n % 4,
        member(
            n, (None, RMSprop(), SGD(momentum=0.9))[n % 3], objective=(None, GP)[n % 2], ema=(None, 0.9)[n % 5 == 0]
        ),
        **QUIET,
    )
    for n in range(20)
}


def without_time(record):
    return {key: value for key, value in record.items() if key not in ("time", "pack")}


def together(names, places, tmp_path, stop=lambda: False, cast=CAST):
    """Train the named runs in a pack of a size, replaced in order, and return the files of each."""
    waiting = list(names)

    def next_ones(free):
        taken, waiting[:] = waiting[:free], waiting[free:]
        return [TrainingSession(cast[name], tmp_path / name) for name in taken]

    records = {}

    def ended(session):
        assert session.error is None
        records[session.directory.name] = session.finalize()

    train_together(next_ones(places), refill=next_ones, ended=ended, stop=stop)
    return records


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    directory = tmp_path_factory.mktemp("alone")
    return directory, {name: train(run, directory / name) for name, run in CAST.items()}


@pytest.mark.parametrize("places", [1, 2, 3, 5])
def test_records_and_files_are_independent_of_the_pack(places, alone, tmp_path):
    directory, expected = alone
    records = together(list(CAST), places, tmp_path)
    assert records.keys() == CAST.keys()
    for name, record in records.items():
        assert without_time(record) == without_time(expected[name]), name
        assert written(tmp_path / name) == record
        assert repr(scalars(tmp_path / name)) == repr(scalars(directory / name))  # NaN is not equal to itself
        if record["state"] == "completed":
            assert_equal_tree(member_of(tmp_path / name), member_of(directory / name))
    assert records["diverging"]["state"] == "diverged"


@pytest.mark.parametrize("at", [2, 8, 11])
def test_runs_continue_with_another_pack_size(at, alone, tmp_path):
    _, expected = alone
    asked = iter([False] * at + [True] * 99)
    names = list(CAST)
    with pytest.raises(Interrupted):
        together(names, 4, tmp_path, lambda: next(asked))
    left = [name for name in reversed(names) if not (tmp_path / name / "record.json").exists()]
    assert any((tmp_path / name / checkpoint.NAME).exists() for name in left)
    together(left, 2, tmp_path)
    for name in names:
        record = written(tmp_path / name)
        assert without_time(record) == without_time(expected[name]), name


def test_an_error_ends_only_its_member(alone, tmp_path):
    class Broken(MeanDistance):
        def __call__(self, data, fake):
            if (fake - data.samples.mean(0)).norm() != 0 and (tmp_path / "bad" / "samples").exists():
                raise RuntimeError("the metric broke")
            return super().__call__(data, fake)

    _, expected = alone
    sessions = [
        TrainingSession(CAST["plain"], tmp_path / "good"),
        TrainingSession(make_run(metric=Broken()), tmp_path / "bad"),
    ]
    errors = {}

    def ended(session):
        errors[session.directory.name] = session.error
        if session.error is None:
            record = session.finalize()
            assert without_time(record) == without_time(expected["plain"])

    train_together(sessions, ended=ended)
    assert str(errors["bad"]) == "the metric broke"
    assert errors["good"] is None


@pytest.fixture(scope="module")
def crowd_alone(tmp_path_factory):
    directory = tmp_path_factory.mktemp("crowd_alone")
    records = {name: train(run, directory / name) for name, run in CROWD.items()}
    return {name: (without_time(record), member_of(directory / name)) for name, record in records.items()}


def assert_as_alone(records, crowd_alone, tmp_path):
    assert records.keys() == crowd_alone.keys()
    for name, (expected, state) in crowd_alone.items():
        assert without_time(records[name]) == expected, name
        assert_equal_tree(member_of(tmp_path / name), state)


@pytest.mark.parametrize("places", [1, 2, 7, 16])
def test_many_members_in_packs(places, crowd_alone, tmp_path):
    assert_as_alone(together(CROWD, places, tmp_path, cast=CROWD), crowd_alone, tmp_path)


@pytest.mark.parametrize(("first", "then"), [(1, 16), (2, 7), (7, 2), (16, 7), (16, 1)])
def test_many_members_continue_with_another_pack_size(first, then, crowd_alone, tmp_path):
    asked = iter([False] * 4 + [True] * 99)
    with pytest.raises(Interrupted):
        together(CROWD, first, tmp_path, lambda: next(asked), cast=CROWD)
    done = {path.parent.name: written(path.parent) for path in tmp_path.glob("*/record.json")}
    begun = [name for name in CROWD if (tmp_path / name / checkpoint.NAME).exists() and name not in done]
    assert begun
    left = [name for name in reversed(CROWD) if name not in done]
    assert_as_alone(done | together(left, then, tmp_path, cast=CROWD), crowd_alone, tmp_path)


def test_an_unread_divergence_is_exported_with_its_member(tmp_path, monkeypatch):
    """Another member raises between the step of the divergence and its check, so that a new pack is made."""
    rarely = {"eval_every": 12, "sample_every": 12, "checkpoint_every": 12, "check_every": 12} | QUIET
    lost, neighbour = (make_run(12, one, **rarely) for one in (CAST["diverging"].member, member(1)))
    expected = train(lost, tmp_path / "alone")["divergence"]
    assert expected["step"] < 8
    record_step = TrainingSession.record_step

    def raising(self, report):
        record_step(self, report)
        if self.directory.name == "neighbour" and self.step == expected["step"] + 2:
            raise OSError("no space left on device")

    monkeypatch.setattr(TrainingSession, "record_step", raising)
    sessions = [TrainingSession(lost, tmp_path / "lost"), TrainingSession(neighbour, tmp_path / "neighbour")]
    train_together(sessions)
    assert isinstance(sessions[1].error, OSError)
    assert sessions[0].finalize()["divergence"] == expected
