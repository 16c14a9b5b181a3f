"""Training time at evaluations: evaluations, also of other members, and interruptions do not count."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from tests.training.small import MeanDistance, make_run, member

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.training import checkpoint, evaluator, session, trainer
from gansweep.training.record import trained_s
from gansweep.training.session import TrainingSession
from gansweep.training.trainer import Interrupted, train, train_together

STEP_S, MEASURE_S = 1.0, 100.0
EXPECTED = {0: 0.0, 4: 4.0, 8: 8.0, 12: 12.0}


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """A step takes 1 s, an evaluation or a checkpoint 100 s, anything else 0 s."""
    now = [0.0]

    def taking(seconds, act):
        def taken(*args, **kwargs):
            now[0] += seconds
            return act(*args, **kwargs)

        return taken

    for module in (evaluator, session, trainer):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(AdversarialPack, "play", taking(STEP_S, AdversarialPack.play))
    monkeypatch.setattr(MeanDistance, "__call__", taking(MEASURE_S, MeanDistance.__call__))
    monkeypatch.setattr(checkpoint, "save", taking(MEASURE_S, checkpoint.save))


def test_only_steps_count_as_training_time(tmp_path):
    record = train(make_run(checkpoint_minutes=1e9), tmp_path)
    assert trained_s(record) == EXPECTED
    assert [e["step"] for e in record["metric"]["evaluations"]] == list(EXPECTED)


def test_evaluations_of_other_members_do_not_count(tmp_path):
    runs = [make_run(one=member(seed), eval_every=every) for seed, every in ((0, 4), (1, 3))]
    records = {}

    def ended(session):
        records[session.run.member.seed] = session.finalize()

    train_together([TrainingSession(run, tmp_path / str(n)) for n, run in enumerate(runs)], ended=ended)
    assert trained_s(records[0]) == EXPECTED
    assert trained_s(records[1]) == {step: float(step) for step in (0, 3, 6, 9, 12)}


def stopped(run, directory, at):
    steps = iter(range(1, 100))
    with pytest.raises(Interrupted):
        train(run, directory, stop=lambda: next(steps) == at)


def test_training_time_continues_after_an_interruption(tmp_path):
    run = make_run()
    stopped(run, tmp_path, 7)
    assert trained_s(train(run, tmp_path)) == EXPECTED


def test_repeated_steps_after_a_kill_are_counted_once(tmp_path, monkeypatch):
    """The checkpoint is of step 5; steps 6 and 7 are trained twice."""
    run = make_run()
    with monkeypatch.context() as killed:
        killed.setattr(TrainingSession, "interrupt", TrainingSession.close)
        stopped(run, tmp_path, 7)
    assert trained_s(train(run, tmp_path)) == EXPECTED


def test_training_time_is_estimated_from_old_checkpoints(tmp_path):
    run = make_run()
    stopped(run, tmp_path, 8)
    path = tmp_path / checkpoint.NAME
    saved = torch.load(path, weights_only=True)
    for name in ("trained_s", "trained_at", "sha256"):
        del saved[name]
    saved |= {"wall_s": 316.0, "eval_s": 300.0}  # two seconds a step
    torch.save(saved, path)
    assert trained_s(train(run, tmp_path)) == {0: 0.0, 4: 8.0, 8: 16.0, 12: 20.0}


def test_a_run_without_metric_has_no_training_times(tmp_path):
    assert "evaluations" not in train(replace(make_run(), metric=None), tmp_path)["time"]


def test_training_times_of_old_records_are_estimated():
    old = {"time": {"steps_per_s": 2.0}, "metric": {"evaluations": [{"step": 0, "value": 1.0}, {"step": 6}]}}
    assert trained_s(old) == {0: 0.0, 6: 3.0}
    assert trained_s({"time": {}, "metric": None}) == {}
