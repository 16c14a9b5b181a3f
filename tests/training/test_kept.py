"""Weights that `trainer.keep` keeps: which, at which steps, and after interruptions."""

from __future__ import annotations

import pytest
import torch
from tests.training.continued import LONG, SHORT, continued, lengthened, train
from tests.training.small import Shapes, make_run, member
from tests.training.test_resume import assert_equal_tree, member_of

from gansweep.losses.objective import Objective
from gansweep.losses.standard import Standard
from gansweep.optimizers.schedule_free_adamw import ScheduleFreeAdamW
from gansweep.optimizers.sgd import SGD
from gansweep.schedules.step import Step
from gansweep.training import kept
from gansweep.training.run import TrainerSettings
from gansweep.training.trainer import Interrupted


def values_of(record):
    return {entry["step"]: entry["value"] for entry in record["metric"]["evaluations"]}


def samples_of(run, path):
    """Samples of the evaluated generator in a file of weights, as a run with the same settings draws them."""
    pack = run.algorithm.pack([run], Shapes().samples)
    saved = torch.load(path, weights_only=True)["member"]
    pack.restore(0, {**saved, "streams": {}})
    return pack.generate(0, run.metric.num_samples, "evaluation")


@pytest.mark.parametrize("rule", [None, ScheduleFreeAdamW()], ids=["adam", "schedule_free"])
@pytest.mark.parametrize("ema", [None, 0.8])
def test_every_file_gives_the_value_of_its_evaluation(rule, ema, tmp_path):
    run = make_run(LONG, member(2, rule, 1e-2, ema=ema), keep="all", eval_every=5)
    record = train(run, tmp_path)
    entries = kept.kept(tmp_path)
    assert [entry.step for entry in entries] == [0, 5, 10, 12, 12]
    assert entries[-1].path.name == "checkpoint.pt"
    for entry in entries:
        assert entry.value == values_of(record)[entry.step]
        assert run.metric(run.data, samples_of(run, entry.path)) == entry.value
    if rule is None:  # no optimizer state: less than half of a checkpoint
        sizes = [entry.path.stat().st_size for entry in entries]
        assert sizes[0] < 0.6 * sizes[-1]


def test_last_keeps_the_checkpoint_only(tmp_path):
    record = train(make_run(LONG, member(2)), tmp_path)
    assert not (tmp_path / kept.FOLDER).exists()
    (entry,) = kept.kept(tmp_path)
    assert entry[:3] == (LONG, tmp_path / "checkpoint.pt", values_of(record)[LONG])
    assert (kept.best(tmp_path) == entry) is (record["metric"]["best_step"] == LONG)


def rising(seed=3, **trainer):
    """A run whose best evaluation is not its last."""
    return make_run(LONG, member(seed, lr=0.05), eval_every=2, **trainer)


def test_best_keeps_the_best_evaluation(tmp_path):
    run = rising(keep="best")
    record = train(run, tmp_path)
    best = record["metric"]["best_step"]
    assert 0 < best < LONG
    assert list(kept.files(tmp_path)) == [best]
    entry = kept.best(tmp_path)
    assert (entry.step, entry.value) == (best, record["metric"]["best"])
    assert run.metric(run.data, samples_of(run, entry.path)) == record["metric"]["best"]
    assert train(rising(), tmp_path / "last")["metric"] == record["metric"]
    assert kept.best(tmp_path / "last") is None
    train(rising(keep="all"), tmp_path / "all")
    assert kept.best(tmp_path / "all").step == best
    assert kept.best(tmp_path / "none") is None


@pytest.mark.parametrize("keep", ["best", "all"])
@pytest.mark.parametrize("at", [3, 6, 7, 9])
def test_stopped_or_killed_and_continued(keep, at, tmp_path):
    run = rising(keep=keep, checkpoint_every=5)
    train(run, tmp_path / "straight")

    class Killed(BaseException):
        pass

    def kill(step, total, text):
        if step == at:
            raise Killed

    with pytest.raises(Killed):
        train(run, tmp_path / "killed", progress=kill)
    with pytest.raises(Interrupted):
        train(run, tmp_path / "killed", stop=lambda: True)
    train(run, tmp_path / "killed")
    expected, files = kept.files(tmp_path / "straight"), kept.files(tmp_path / "killed")
    assert files.keys() == expected.keys()
    for step, path in files.items():
        assert_equal_tree(torch.load(path, weights_only=True), torch.load(expected[step], weights_only=True))


def test_the_earlier_best_is_kept_until_a_checkpoint_has_the_new_one(tmp_path):
    """A process killed between them may, on a GPU, find another best value when it continues."""
    run = rising(keep="best", checkpoint_every=100)
    record = train(rising(), tmp_path / "last")
    best = record["metric"]["best_step"]
    with pytest.raises(KeyboardInterrupt):
        train(run, tmp_path, progress=lambda step, *_: step == best and raise_interrupt())
    files = kept.files(tmp_path)
    assert best in files
    improvements = [e["step"] for e in record["metric"]["evaluations"] if "apart" in e and e["step"] <= best]
    assert list(files) == improvements


def raise_interrupt():
    raise KeyboardInterrupt


def test_weights_after_the_checkpoint_are_removed(tmp_path):
    run = rising(keep="all", checkpoint_every=100)
    with pytest.raises(KeyboardInterrupt):
        train(run, tmp_path, progress=lambda step, *_: step == 6 and raise_interrupt())
    assert list(kept.files(tmp_path)) == [0, 2, 4, 6]
    with pytest.raises(Interrupted):
        train(run, tmp_path, stop=lambda: True)
    assert list(kept.files(tmp_path)) == [0]


def test_a_diverged_run_keeps_its_best(tmp_path):
    one = member(1, SGD(), schedule=Step(gamma=1e8, period=5), objective=Objective(Standard(), {}))
    record = train(make_run(LONG, one, eval_every=1, check_every=1, keep="best", checkpoint_every=100), tmp_path)
    assert record["state"] == "diverged"
    assert kept.best(tmp_path).step == record["metric"]["best_step"] > 0
    assert list(kept.files(tmp_path)) == [record["metric"]["best_step"]]


@pytest.mark.parametrize("keep", ["best", "all"])
def test_a_longer_run_has_the_weights_of_the_shorter_one(keep, tmp_path):
    run = rising(keep=keep)
    run = lengthened(run, SHORT)
    longer = lengthened(run, LONG)
    train(run, tmp_path / "short")
    train(longer, tmp_path / "straight")
    continued(run, longer, tmp_path / "short", tmp_path / "longer")
    expected, files = kept.files(tmp_path / "straight"), kept.files(tmp_path / "longer")
    assert files.keys() == expected.keys()
    for step, path in files.items():
        found, straight = (torch.load(file, weights_only=True) for file in (path, expected[step]))
        assert_equal_tree(found["member"], straight["member"])


def test_a_full_disk_ends_no_run(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(kept.atomic, "write", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    kept.write(tmp_path, {}, {"step": 3}, {"value": 1.0})
    assert "the weights of step 3 were not kept" in caplog.text


def test_what_is_refused():
    with pytest.raises(ValueError, match="keep=first: expected last, best or all"):
        TrainerSettings(keep="first")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match=r"trainer\.keep=best: needs a metric"):
        make = make_run(keep="best")
        type(make)(**{**vars(make), "metric": None})


def test_the_size_of_a_file(tmp_path):
    run = make_run(LONG, member(2, ema=0.9), keep="all")
    train(run, tmp_path)
    saved = member_of(tmp_path)
    numbers = sum(saved[name]["theta"].numel() for name in ("generator", "discriminator")) + saved["ema"].numel()
    assert kept.num_bytes(run) == 4 * numbers
    size = kept.path_of(tmp_path, LONG).stat().st_size
    assert kept.num_bytes(run) < size < kept.num_bytes(run) + 8192
