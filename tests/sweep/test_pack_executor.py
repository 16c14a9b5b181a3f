"""Training of cells in packs: compatible cells, replacement of members, and errors of a whole pack."""

from __future__ import annotations

import gc
import io
import weakref
from types import SimpleNamespace

import pytest
import torch
from fake_cells import cell
from tests.training.small import make_run, member

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.sweep import cell_lock
from gansweep.sweep.pack_executor import in_packs
from gansweep.sweep.progress import Progress
from gansweep.sweep.sweep import Sweep
from gansweep.training.interruption import Interrupted
from gansweep.training.session import TrainingSession


def run_of(of):
    return make_run(of.config["steps"], member(of.config["seed"]), tensorboard=False)


def grid(root, seeds=5, steps=4):
    return [cell(root, seed=seed, steps=steps) for seed in range(seeds)]


def open_session(of, step):
    return TrainingSession(run_of(of), of.directory, step, guard=step.guard, header=of.header)


def train(those, size, open_session=open_session, **more):
    executor = in_packs(open_session, lambda waiting, stop: size)
    return Sweep(those[0].directory.parent, those).run(executor, progress=Progress(0, io.StringIO()), **more)


def finals(outcome):
    return {found["cell"]["name"]: found["metric"]["final"] for found in outcome.records.values()}


@pytest.fixture
def packs(monkeypatch):
    """Return the sizes of all trained packs."""
    sizes, steps = [], AdversarialPack.steps

    def counted(self):
        sizes.append(len(self.members))
        yield from steps(self)

    monkeypatch.setattr(AdversarialPack, "steps", counted)
    return sizes


def test_finished_members_are_replaced(tmp_path, packs):
    those = grid(tmp_path)
    outcome = train(those, 2)
    assert outcome.exit_code == 0
    assert packs == [2, 2, 1]
    assert finals(outcome) == finals(train(grid(tmp_path / "alone"), 1))
    assert not list(tmp_path.glob("*/.claim.*"))


def test_a_stop_while_the_pack_size_is_chosen_trains_nothing(tmp_path, packs):
    def interrupted(waiting, stop):
        raise Interrupted(0)

    executor = in_packs(open_session, interrupted)
    outcome = Sweep(tmp_path, grid(tmp_path)).run(executor, progress=Progress(0, io.StringIO()))
    assert outcome.interrupted
    assert outcome.exit_code == 130
    assert packs == []
    assert outcome.records == {}


def test_smaller_packs_are_tried_after_out_of_memory(tmp_path, monkeypatch, caplog):
    steps, sizes, failed = AdversarialPack.steps, [], []

    def limited(self):
        sizes.append(len(self.members))
        gc.collect()
        assert not any(pack() for pack in failed), "the failed pack is still in memory"
        for n, report in enumerate(steps(self)):
            if len(self.members) > 2 and n == 1:
                failed.append(weakref.ref(self))
                raise torch.OutOfMemoryError("out of memory")
            yield report

    monkeypatch.setattr(AdversarialPack, "steps", limited)
    outcome = train(grid(tmp_path), 4)
    assert outcome.exit_code == 0
    assert sizes == [4, 2, 2, 1]
    assert len(failed) == 1
    assert "4 cells together: OutOfMemoryError: out of memory; trying them in smaller packs" in caplog.text
    monkeypatch.undo()
    assert finals(outcome) == finals(train(grid(tmp_path / "alone"), 1))


@pytest.mark.parametrize("name", ["generate", "sample_grid", "export"])
def test_smaller_packs_are_tried_after_out_of_memory_in_an_output(name, tmp_path, monkeypatch, caplog, packs):
    original = getattr(AdversarialPack, name)

    def limited(self, *arguments):
        if len(self.members) > 2 and self.done[0] == 4:
            raise torch.OutOfMemoryError("out of memory")
        return original(self, *arguments)

    monkeypatch.setattr(AdversarialPack, name, limited)
    outcome = train(grid(tmp_path), 4)
    assert outcome.exit_code == 0
    assert packs == [4, 2, 2, 1]
    assert caplog.text.count("trying them in smaller packs") == 1
    monkeypatch.undo()
    assert finals(outcome) == finals(train(grid(tmp_path / "alone"), 1))


ILLEGAL_ACCESS = "CUDA error: an illegal memory access was encountered"


@pytest.mark.parametrize("place", ["open", "step", "evaluation", "checkpoint", "record"])
def test_a_failure_of_the_device_stops_the_sweep(place, tmp_path, monkeypatch, caplog):
    targets = {
        "open": (TrainingSession, "__init__"),
        "step": (AdversarialPack, "play"),
        "evaluation": (AdversarialPack, "generate"),
        "checkpoint": (AdversarialPack, "export"),
        "record": (TrainingSession, "finalize"),
    }
    calls = []

    def fail(*arguments, **settings):
        calls.append(arguments)
        raise torch.AcceleratorError(ILLEGAL_ACCESS + "\nCUDA kernel errors might be asynchronously reported")

    with monkeypatch.context() as patch:
        patch.setattr(*targets[place], fail)
        patch.setattr("gansweep.sweep.pack_executor.free_memory", lambda: pytest.fail("the device can't be used"))
        outcome = train(grid(tmp_path), 2)
    assert len(calls) == 1
    assert (outcome.exit_code, outcome.cut_short, outcome.records) == (1, True, {})
    errors = [entry.getMessage() for entry in caplog.records if entry.levelname in ("ERROR", "WARNING")]
    assert len(errors) == 1
    assert errors[0].startswith(f"{ILLEGAL_ACCESS}, reported in {__file__}:")
    assert "The same command continues" in errors[0]
    again = train(grid(tmp_path), 2)
    assert again.exit_code == 0
    assert finals(again) == finals(train(grid(tmp_path / "alone"), 1))


def test_log_files_of_a_failed_pack_are_closed(tmp_path, monkeypatch):
    closed = []

    class Journal:
        def __init__(self, name):
            self.name = name

        def __call__(self):
            from contextlib import nullcontext

            return nullcontext()

        def close(self):
            closed.append(self.name)

    def broken(self):
        raise RuntimeError("always")
        yield

    monkeypatch.setattr(AdversarialPack, "steps", broken)
    those = grid(tmp_path, 2)
    outcome = train(
        those, 2, lambda of, step: TrainingSession(run_of(of), of.directory, step, Journal(of.name), header=of.header)
    )
    names = [one.name for one in those]
    assert outcome.exit_code == 1
    assert sorted(closed) == sorted(names * 2)


def test_a_failure_at_size_1_is_recorded_and_the_others_are_trained(tmp_path, monkeypatch):
    steps = AdversarialPack.steps

    def some(self):
        if any(one.seed == 1 for one in self.members):
            raise MemoryError("seed 1 is too large")
        return steps(self)

    monkeypatch.setattr(AdversarialPack, "steps", some)
    those = grid(tmp_path)
    outcome = train(those, 4)
    states = [outcome.records[one.hash]["state"] for one in those]
    assert states == ["completed", "failed", "completed", "completed", "completed"]
    assert outcome.records[those[1].hash]["error"]["message"] == "seed 1 is too large"


def test_tracebacks_of_successive_failures_do_not_nest(tmp_path, monkeypatch):
    def broken(self):
        raise RuntimeError("always")
        yield

    monkeypatch.setattr(AdversarialPack, "steps", broken)
    deep = []
    monkeypatch.setattr(
        "gansweep.sweep.run_state.RunState.record_failure", lambda self, of, error, wall_s: deep.append(depth(error))
    )
    train(grid(tmp_path, 6), 1, wait=False)
    assert len(deep) == 6
    assert len(set(deep)) == 1


def depth(error):
    found, frame = 0, error.__traceback__.tb_frame
    while frame is not None:
        found, frame = found + 1, frame.f_back
    return found


def test_a_locked_cell_is_left_to_its_owner(tmp_path, packs):
    those = grid(tmp_path, 3)
    other = cell_lock.Claim.acquire(those[1].directory)
    outcome = train(those, 3, wait=False)
    assert packs == [2]
    assert [one.name for one in outcome.missing] == [those[1].name]
    other.release()
    assert train(those, 3).exit_code == 0
    assert packs == [2, 1]


def test_a_member_whose_claim_is_lost_leaves_the_pack(tmp_path, monkeypatch):
    those = grid(tmp_path, 3, steps=8)
    opened = open_session

    def open_and_lose(of, step):
        show = step.progress.step

        def lose(name, at, total, text=""):
            if of is those[0] and at == 4:
                step.claim.lost = True
            show(name, at, total, text)

        step.progress = SimpleNamespace(step=lose)
        return opened(of, step)

    outcome = train(those, 3, open_and_lose, wait=False)
    assert [one.name for one in outcome.missing] == [those[0].name]
    assert all(found["state"] == "completed" for found in outcome.records.values())
    assert (those[0].directory / "checkpoint.pt").exists() is False
